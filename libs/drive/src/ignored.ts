const ignoredNames = new Set(['4913', '__macosx', 'desktop.ini', 'thumbs.db']);
const ignoredEndings = ['~', '.swp', '.swo', '.swx', '.tmp', '.part', '.partial', '.crdownload', '.download'];

/** More than any file system's tools handle well, and less than an index entry holds. In bytes of UTF-8. */
export const longestPathBytes = 1_024;

/**
 * Is this file or folder none of the band's? So are hidden ones, and what editors, browsers and operating systems leave
 * beside the files that people mean (`4913` is how Vim tries whether it may write).
 */
export function isIgnoredName(name: string): boolean {
  const lower = name.toLowerCase();
  return (
    name.startsWith('.') ||
    name.startsWith('~$') ||
    (name.startsWith('#') && name.endsWith('#')) ||
    ignoredNames.has(lower) ||
    ignoredEndings.some((ending) => lower.endsWith(ending))
  );
}

/** The same of a path inside the folder: one ignored part is enough. */
export function isIgnoredPath(path: string): boolean {
  return path.split('/').some(isIgnoredName) || Buffer.byteLength(path) > longestPathBytes;
}
