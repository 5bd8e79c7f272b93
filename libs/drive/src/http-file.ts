import type { DriveFile } from '@soleil/bus';
import { contentDisposition } from './content-disposition.js';
import type { ByteRange } from './provider.js';

/** How to answer an HTTP request for a file. */
export interface FileAnswer {
  /** 200: the whole file; 206: `range` of it; 304 and 416: no body. */
  status: 200 | 206 | 304 | 416;
  headers: Record<string, string>;
  /** Which bytes the body holds, for `DriveService.open`; absent where there is no body or the file is empty. */
  range?: ByteRange;
}

/** Headers as Node gives them: names in lower case. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Answers a GET for a file after RFC 9110: `If-None-Match`, `If-Range`, and a single `Range`; several ranges, and what is
 * no range of bytes, are ignored, as the RFC allows. For a HEAD, leave out the `range` header and the body. The entity tag
 * is the hash of the bytes; the answer may be stored by the device alone, and must be asked about again each time it is used.
 */
export function serveFile(request: RequestHeaders, file: DriveFile): FileAnswer {
  const etag = `"${file.hash}"`;
  const validators = {
    ETag: etag,
    'Last-Modified': new Date(file.modifiedAt).toUTCString(),
    'Cache-Control': 'private, no-cache',
  };
  if (listsTag(header(request, 'if-none-match'), etag)) return { status: 304, headers: validators };

  const headers: Record<string, string> = {
    ...validators,
    'Accept-Ranges': 'bytes',
    'Content-Type': file.mimeType,
    'Content-Disposition': contentDisposition(file.path),
    'X-Content-Type-Options': 'nosniff',
  };
  const range = wantedRange(request, etag, file.size);
  if (range === 'unsatisfiable') {
    return {
      status: 416,
      headers: { ...validators, 'Accept-Ranges': 'bytes', 'Content-Range': `bytes */${file.size}`, 'Content-Length': '0' },
    };
  }
  if (range) {
    headers['Content-Range'] = `bytes ${range.start}-${range.end}/${file.size}`;
    headers['Content-Length'] = String(range.end - range.start + 1);
    return { status: 206, headers, range };
  }
  headers['Content-Length'] = String(file.size);
  return { status: 200, headers, ...(file.size > 0 ? { range: { start: 0, end: file.size - 1 } } : {}) };
}

function wantedRange(request: RequestHeaders, etag: string, size: number): ByteRange | 'unsatisfiable' | null {
  // A resumed download names what it has the beginning of. A date is too coarse to say that it is still the same.
  const condition = header(request, 'if-range');
  if (condition !== undefined && condition.trim() !== etag) return null;
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header(request, 'range') ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return null;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  if (last !== '' && Number(last) < Number(first)) return null;
  if (Number(first) >= size) return 'unsatisfiable';
  return { start: Number(first), end: Math.min(last === '' ? Infinity : Number(last), size - 1) };
}

/** The weak comparison, as `If-None-Match` wants it. */
function listsTag(list: string | undefined, etag: string): boolean {
  if (list === undefined) return false;
  if (list.trim() === '*') return true;
  return (list.match(/(?:W\/)?"[^"]*"/g) ?? []).some((tag) => tag.replace(/^W\//, '') === etag);
}

function header(request: RequestHeaders, name: string): string | undefined {
  const value = request[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
