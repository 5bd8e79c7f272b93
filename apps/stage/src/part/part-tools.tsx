import type { ReactNode } from 'react';
import { Icon } from '../design/icons.js';

/** `width`: as large as the screen is wide. `page`: whole pages. */
export type Zoom = 'width' | 'page';
/** `night`: white on black, for a dark stage. */
export type Paper = 'white' | 'night';

interface PartToolsProps {
  page: number;
  pages: number;
  turn: (by: 1 | -1) => void;
  zoom: Zoom;
  setZoom: (zoom: Zoom) => void;
  paper: Paper;
  setPaper: (paper: Paper) => void;
}

export function PartTools({ page, pages, turn, zoom, setZoom, paper, setPaper }: PartToolsProps): ReactNode {
  return (
    <div className="tools">
      {pages > 1 && (
        <div className="tool" role="group" aria-label="Page">
          <button type="button" aria-label="Page before" disabled={page <= 1} onClick={() => turn(-1)}>
            <Icon name="back" />
          </button>
          <span className="tool-value" role="status">
            <span className="tool-label">Page</span> {page} <small>of {pages}</small>
          </span>
          <button type="button" aria-label="Next page" disabled={page >= pages} onClick={() => turn(1)}>
            <Icon name="forward" />
          </button>
        </div>
      )}
      <div className="tool" role="group" aria-label="Size">
        <button type="button" aria-pressed={zoom === 'width'} onClick={() => setZoom('width')}>
          Full width
        </button>
        <button type="button" aria-pressed={zoom === 'page'} onClick={() => setZoom('page')}>
          Whole page
        </button>
      </div>
      <div className="tool" role="group" aria-label="Paper">
        <button type="button" aria-pressed={paper === 'white'} onClick={() => setPaper('white')}>
          <Icon name="sun" /> <span className="visually-hidden">White paper</span>
        </button>
        <button type="button" aria-pressed={paper === 'night'} onClick={() => setPaper('night')}>
          <Icon name="moon" /> <span className="visually-hidden">Dark paper</span>
        </button>
      </div>
    </div>
  );
}
