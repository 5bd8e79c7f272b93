import type { ServerResponse } from 'node:http';
import { ApiError } from './api-error.js';
import type { Content } from './content.js';

/** Sends content or the part of it that `range` asks for, and breaks the connection after `cutAfterBytes`, if told to. */
export async function sendContent(
  response: ServerResponse,
  content: Content,
  mimeType: string,
  range: string | undefined,
  cutAfterBytes = Infinity,
): Promise<void> {
  const part = range === undefined ? undefined : partOf(range, content.size);
  const [start, end] = part ?? [0, content.size];
  response.writeHead(part ? 206 : 200, {
    'Content-Type': mimeType,
    'Content-Length': end - start,
    'Content-Disposition': 'attachment',
    ...(part ? { 'Content-Range': `bytes ${start}-${end - 1}/${content.size}` } : {}),
  });
  const stopAt = Math.min(end, start + cutAfterBytes);
  for (const piece of content.read(start, stopAt)) {
    if (response.destroyed) return;
    if (!response.write(piece)) await drained(response);
  }
  if (stopAt < end) response.socket?.destroySoon();
  else response.end();
}

/**
 * The bytes from `start` up to but without `end`; undefined for a range nobody understands, which is ignored.
 * @throws ApiError 416, as for every range of an empty file
 */
function partOf(range: string, size: number): [start: number, end: number] | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  const isSuffix = first === '';
  const start = isSuffix ? Math.max(size - Number(last), 0) : Number(first);
  const end = isSuffix || last === '' ? size : Math.min(Number(last) + 1, size);
  if (start >= end) {
    throw new ApiError(416, 'requestedRangeNotSatisfiable', 'Request range not satisfiable', {
      headers: { 'Content-Range': `bytes */${size}` },
      location: 'Range',
      locationType: 'header',
    });
  }
  return [start, end];
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}
