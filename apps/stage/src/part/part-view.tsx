import type { PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useRemembered } from '../design/use-remembered.js';
import { theme } from '../design/theme.js';
import type { FileBytes } from '../library/use-file-bytes.js';
import { useObservable } from '../session/use-session.js';
import { PageCanvas } from './page-canvas.js';
import { PartTools, type Paper, type Zoom } from './part-tools.js';
import { openPdf } from './pdf.js';
import { usePageTurning } from './use-page-turning.js';

/** A part in PDF, page under page. A new version takes the place of the old one when it is drawn, where the reader is. */
export function PartView({ shown, isFresh }: { shown: FileBytes; isFresh: boolean }): ReactNode {
  const { document, hasFailed } = useDocument(shown);
  const [zoom, setZoom] = useRemembered<Zoom>('soleil.part.zoom', 'width');
  const [chosenPaper, setPaper] = useRemembered<Paper | null>('soleil.part.paper', null);
  const isDark = useObservable(theme) === 'dark';
  const paper = chosenPaper ?? (isDark ? 'night' : 'white');
  const pages = useRef<HTMLDivElement>(null);
  const { page, turn } = usePageTurning(pages, document?.numPages ?? 0);
  return (
    <>
      <PartTools
        page={page}
        pages={document?.numPages ?? 0}
        turn={turn}
        zoom={zoom}
        setZoom={setZoom}
        paper={paper}
        setPaper={(next) => setPaper(next === (isDark ? 'night' : 'white') ? null : next)}
      />
      {hasFailed && (
        <p className="notice" role="alert">
          This PDF cannot be drawn. The file is here, but it is damaged or protected.
        </p>
      )}
      <div className={`pages pages-${zoom} paper-${paper}`} ref={pages}>
        {document === null && !hasFailed && <p className="empty">Opening …</p>}
        {document !== null &&
          Array.from({ length: document.numPages }, (_, index) => (
            <PageCanvas key={index} document={document} number={index + 1} zoom={zoom}>
              {isFresh && <span className="flash" key={shown.hash} />}
            </PageCanvas>
          ))}
      </div>
    </>
  );
}

/** The opened document; the one before, until a new one is open. */
function useDocument({ bytes }: FileBytes): { document: PDFDocumentProxy | null; hasFailed: boolean } {
  const [document, setDocument] = useState<PDFDocumentProxy | null>(null);
  const [failed, setFailed] = useState<Uint8Array | null>(null);
  useEffect(() => {
    let isOver = false;
    const open = async (): Promise<void> => {
      try {
        const opened = await openPdf(bytes);
        if (isOver) void opened.loadingTask.destroy();
        else setDocument(opened);
      } catch {
        if (!isOver) setFailed(bytes);
      }
    };
    void open();
    return () => {
      isOver = true;
    };
  }, [bytes]);
  useEffect(() => () => void document?.loadingTask.destroy(), [document]);
  return { document, hasFailed: failed === bytes };
}
