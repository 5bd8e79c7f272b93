import type { ChartSummary, Pitch } from '@soleil/sync-protocol';
import type { ReactNode } from 'react';
import { Icon } from '../design/icons.js';
import { pitchName } from '../library/file-words.js';
import { sizes } from './use-arrangement.js';

interface ChartToolsProps {
  /** As it is shown. */
  sheetKey: string | null;
  /** Semitones from what is written; besides the pitch. */
  moved: number;
  move: (semitones: number) => void;
  pitch: Pitch;
  pitches: readonly Pitch[];
  read: (pitch: Pitch) => void;
  size: number;
  resize: (size: number) => void;
  isFit: boolean;
  fit: (isFit: boolean) => void;
  /** As written in the chart. */
  facts: ChartSummary | null;
}

const mostMoved = 11;

export function ChartTools(props: ChartToolsProps): ReactNode {
  return (
    <div className="tools">
      <KeyTool {...props} />
      <PitchTool {...props} />
      <SizeTool {...props} />
      {props.facts !== null && <Facts {...props.facts} />}
    </div>
  );
}

function Facts({ tempo, time, capo, composer, year }: ChartSummary): ReactNode {
  return (
    <p className="chart-facts">
      {tempo !== null && <span>♩ {tempo}</span>}
      {time !== null && <span>{time}</span>}
      {capo !== null && <span>Capo {capo}</span>}
      {composer !== null && <span className="chart-source">{composer}</span>}
      {year !== null && <span className="chart-source">{year}</span>}
    </p>
  );
}

function KeyTool({ sheetKey, moved, move }: ChartToolsProps): ReactNode {
  const sign = moved > 0 ? `+${moved}` : `−${-moved}`;
  return (
    <div className="tool" role="group" aria-label="Key">
      <button type="button" aria-label="A semitone down" disabled={moved <= -mostMoved} onClick={() => move(moved - 1)}>
        −
      </button>
      <button
        type="button"
        className="tool-value"
        aria-label={`Key ${sheetKey ?? 'unknown'}${moved === 0 ? ', as written' : `, ${sign} semitones; back to as written`}`}
        onClick={() => move(0)}
      >
        <span className="tool-label">Key</span> <span data-testid="key">{sheetKey ?? '–'}</span>
        {moved !== 0 && <small>{sign}</small>}
      </button>
      <button type="button" aria-label="A semitone up" disabled={moved >= mostMoved} onClick={() => move(moved + 1)}>
        +
      </button>
    </div>
  );
}

/** For those whose instrument sounds another note than it reads. */
function PitchTool({ pitch, pitches, read }: ChartToolsProps): ReactNode {
  if (pitches.length < 2) return null;
  return (
    <div className="tool" role="group" aria-label="Written for">
      {pitches.map((each) => (
        <button
          type="button"
          key={each}
          aria-pressed={each === pitch}
          aria-label={`Written for ${pitchName(each)}`}
          onClick={() => read(each)}
        >
          {pitchName(each)}
        </button>
      ))}
    </div>
  );
}

function SizeTool({ size, resize, isFit, fit }: ChartToolsProps): ReactNode {
  return (
    <div className="tool" role="group" aria-label="Size">
      <button
        type="button"
        aria-label="Smaller"
        disabled={!isFit && size <= sizes.smallest}
        onClick={() => resize(Math.max(sizes.smallest, size - sizes.step))}
      >
        <span className="small-a">A</span>
      </button>
      <button
        type="button"
        aria-label="Larger"
        disabled={!isFit && size >= sizes.largest}
        onClick={() => resize(Math.min(sizes.largest, size + sizes.step))}
      >
        <span className="large-a">A</span>
      </button>
      <button type="button" aria-pressed={isFit} onClick={() => fit(!isFit)}>
        <Icon name="fit" /> Fit
      </button>
    </div>
  );
}
