import { problems, type Problem } from './problem.js';

export interface PdfReading {
  problem: Problem | null;
  pages: number | null;
}

/** Readers accept a header that begins within the first kilobyte, so this is what of a large file must be read. */
export const pdfHeadBytes = 1024;

/** Beyond so many mentions of a page tree, or with nodes so large, counting is not cheap any more. */
const mentionLimit = 500;
const nodeBytes = 16 * 1024;

/**
 * Whether these bytes are a whole PDF, and how many pages it has where that can be seen without unpacking it.
 * @param whole false when `bytes` are only the head: then only the header is looked at
 */
export function readPdf(bytes: Buffer, whole: boolean): PdfReading {
  if (bytes.subarray(0, pdfHeadBytes).indexOf('%PDF-') < 0) return broken('This is not a PDF, though its name says so.');
  if (!whole) return { problem: null, pages: null };
  // 4 KiB: some programs write comments or padding behind the end mark.
  if (bytes.subarray(-4096).indexOf('%%EOF') < 0) return broken('The PDF is cut off: its end is missing.');
  return { problem: null, pages: countPages(bytes) };
}

/** The largest `/Count` of a page tree's nodes, which is the root's; an object written again replaces its former self. */
function countPages(bytes: Buffer): number | null {
  const counts = new Map<string, number>();
  let at = bytes.indexOf('/Pages');
  for (let mentions = 0; at >= 0; at = bytes.indexOf('/Pages', at + 6)) {
    if (++mentions > mentionLimit) return null;
    if (!/\/Type\s*$/.test(bytes.toString('latin1', Math.max(0, at - 16), at))) continue;
    const before = bytes.toString('latin1', Math.max(0, at - nodeBytes), at);
    const after = bytes.toString('latin1', at, at + nodeBytes);
    const start = before.lastIndexOf(' obj');
    const end = after.indexOf('endobj');
    if (start < 0 || end < 0) continue;
    const id = /(\d{1,10}) \d{1,5}$/.exec(before.slice(Math.max(0, start - 20), start))?.[1];
    const count = /\/Count\s+(\d{1,5})\b/.exec(before.slice(start) + after.slice(0, end))?.[1];
    if (id && count) counts.set(id, Number(count));
  }
  const pages = Math.max(0, ...counts.values());
  return pages > 0 ? pages : null;
}

function broken(reason: string): PdfReading {
  return { problem: problems.pdfBroken(reason), pages: null };
}
