import { useLayoutEffect, type RefObject } from 'react';

/** In pixels. Below the smallest nobody reads from a stand, above the largest nobody needs it. */
export const sizes = { smallest: 13, largest: 40, usual: 20, step: 2 };

/** From this size on, a line that goes on in a second row is worse to read than smaller letters. */
const comfortable = 16;
const mostColumns = 4;
const measuredSize = 16;

/**
 * Arranges a chart on the screen. With `isFit`, as large as it can be without scrolling, in as many columns as help.
 * Otherwise in `size`: in columns if the whole chart then fits the screen, else in one, because a chart that must be
 * scrolled is read downwards only.
 * @param content changes whenever what is drawn does
 */
export function useArrangement(
  sheet: RefObject<HTMLElement | null>,
  { size, isFit, content }: { size: number; isFit: boolean; content: unknown },
): void {
  useLayoutEffect(() => {
    const element = sheet.current;
    if (element === null) return;
    const arrange = (): void => {
      // Trying out sizes makes the page shorter for a moment, and a browser that scrolled back then would stay there.
      const top = scrollY;
      const room = roomFor(element);
      if (isFit) fit(element, room);
      else place(element, room, { size, columns: room.columnsAt(size) });
      if (scrollY !== top) scrollTo({ top, behavior: 'instant' });
    };
    arrange();
    let width = element.clientWidth;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth === width) return;
      width = element.clientWidth;
      arrange();
    });
    observer.observe(element);
    addEventListener('resize', arrange);
    return () => {
      observer.disconnect();
      removeEventListener('resize', arrange);
    };
  }, [sheet, size, isFit, content]);
}

interface Arrangement {
  size: number;
  columns: number;
}

interface Room {
  /** From the top of the chart to the bottom of the screen, as it is before anybody scrolls. */
  height: number;
  /** How many columns there can be at a size without breaking a line; at least one. */
  columnsAt(size: number): number;
  /** The largest size at which no line breaks in so many columns. */
  sizeFor(columns: number): number;
}

function roomFor(element: HTMLElement): Room {
  const width = element.clientWidth;
  const begin = element.getBoundingClientRect().top + scrollY;
  const main = element.closest('main');
  const below = main === null ? 0 : Number.parseFloat(getComputedStyle(main).paddingBottom);
  const gap = 2.2;
  const longest = longestLine(element) / measuredSize;
  return {
    height: Math.max(160, innerHeight - begin - below),
    columnsAt: (size) => Math.min(mostColumns, Math.max(1, Math.floor((width / size + gap) / (longest + gap)))),
    sizeFor: (columns) => width / (columns * longest + (columns - 1) * gap),
  };
}

function longestLine(element: HTMLElement): number {
  const { className, style } = element;
  const before = style.cssText;
  style.cssText = '';
  element.className = `${className} sheet-measured`.replace('sheet-columns', '');
  const width = element.getBoundingClientRect().width;
  element.className = className;
  style.cssText = before;
  return width;
}

function fit(element: HTMLElement, room: Room): void {
  let best: Arrangement = { size: 0, columns: 1 };
  for (let columns = 1; columns <= mostColumns; columns += 1) {
    const size = largest(element, room, columns, Math.min(sizes.largest, room.sizeFor(columns)));
    if (size > best.size) best = { size, columns };
  }
  if (best.size < comfortable) {
    const size = largest(element, room, 1, comfortable);
    if (size > best.size) best = { size, columns: 1 };
  }
  place(element, room, { ...best, size: Math.max(sizes.smallest, best.size) });
}

/** The largest size up to `limit` at which all is on the screen, in half pixels; 0 where none is. */
function largest(element: HTMLElement, room: Room, columns: number, limit: number): number {
  let low = sizes.smallest * 2 - 1;
  let high = Math.floor(limit * 2);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fitsAt(element, room, { size: middle / 2, columns })) low = middle;
    else high = middle - 1;
  }
  return low < sizes.smallest * 2 ? 0 : low / 2;
}

function place(element: HTMLElement, room: Room, arrangement: Arrangement): void {
  if (fitsAt(element, room, arrangement)) return;
  element.classList.remove('sheet-columns');
  element.style.columnCount = '';
  element.style.height = '';
}

/** Whether everything is on the screen so; leaves it arranged so. */
function fitsAt(element: HTMLElement, { height }: Room, { size, columns }: Arrangement): boolean {
  element.classList.add('sheet-columns');
  element.style.fontSize = `${size}px`;
  element.style.columnCount = String(columns);
  element.style.height = `${height}px`;
  return element.scrollWidth <= element.clientWidth + 1 && element.scrollHeight <= element.clientHeight + 1;
}
