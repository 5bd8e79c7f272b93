import type { PDFDocumentProxy, RenderTask } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { Zoom } from './part-tools.js';

/** Some tablets draw nothing on a canvas that is larger. */
const mostPixels = 16_000_000;

/**
 * One page, drawn as sharp as the screen is. It is drawn beside, and only then shown: neither a new version nor another
 * size leaves the player with an empty page.
 */
export function PageCanvas(props: {
  document: PDFDocumentProxy;
  number: number;
  zoom: Zoom;
  children: ReactNode;
}): ReactNode {
  const { document, number, zoom, children } = props;
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [ratio, setRatio] = useState<number | null>(null);
  const width = useWidth(frame);
  useEffect(() => {
    if (width === 0 || canvas.current === null) return;
    const target = canvas.current;
    let isOver = false;
    let task: RenderTask | null = null;
    const draw = async (): Promise<void> => {
      try {
        const page = await document.getPage(number);
        if (isOver) return;
        const size = page.getViewport({ scale: 1 });
        setRatio(size.width / size.height);
        const sharp = (width * devicePixelRatio) / size.width;
        const scale = Math.min(sharp, Math.sqrt(mostPixels / (size.width * size.height)));
        const viewport = page.getViewport({ scale });
        const drawn = globalThis.document.createElement('canvas');
        drawn.width = Math.round(viewport.width);
        drawn.height = Math.round(viewport.height);
        task = page.render({ canvas: drawn, viewport });
        await task.promise;
        if (isOver) return;
        target.width = drawn.width;
        target.height = drawn.height;
        target.getContext('2d')?.drawImage(drawn, 0, 0);
        target.dataset.drawn = document.fingerprints[0] ?? '';
      } catch {
        // Cancelled, or the document has been closed: another is being drawn already.
      }
    };
    void draw();
    return () => {
      isOver = true;
      task?.cancel();
    };
  }, [document, number, width]);
  return (
    <div
      className="sheet-of-paper"
      ref={frame}
      style={{ aspectRatio: ratio ?? 0.707, '--ratio': ratio ?? 0.707 } as React.CSSProperties}
      data-page={number}
      data-zoom={zoom}
    >
      <canvas ref={canvas} role="img" aria-label={`Page ${number}`} />
      {children}
    </div>
  );
}

/** Rounded, and only told when it has come to rest: drawing a page takes longer than a window takes to change. */
function useWidth(element: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observed = element.current;
    if (observed === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const observer = new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(() => setWidth(Math.round(observed.clientWidth)), 80);
    });
    observer.observe(observed);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
    };
  }, [element]);
  return width;
}
