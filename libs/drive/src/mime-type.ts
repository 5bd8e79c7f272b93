/**
 * Types of what bands keep. Whatever a browser might run as a page of ours (HTML, SVG, XML) is left out on purpose: it is
 * served as plain bytes.
 */
const typesByExtension: Readonly<Record<string, string>> = {
  aac: 'audio/aac',
  chopro: 'text/plain; charset=utf-8',
  chordpro: 'text/plain; charset=utf-8',
  cho: 'text/plain; charset=utf-8',
  crd: 'text/plain; charset=utf-8',
  flac: 'audio/flac',
  gif: 'image/gif',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  m4a: 'audio/mp4',
  md: 'text/plain; charset=utf-8',
  mid: 'audio/midi',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  pdf: 'application/pdf',
  png: 'image/png',
  pro: 'text/plain; charset=utf-8',
  setlist: 'text/plain; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  wav: 'audio/wav',
  webp: 'image/webp',
};

/** The type of a file by the ending of its name; `application/octet-stream` where that says nothing. */
export function mimeTypeOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  const extension = dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
  return Object.hasOwn(typesByExtension, extension) ? typesByExtension[extension]! : 'application/octet-stream';
}
