/** The characters that windows-1252 has where Latin-1 has controls, from 0x80 up; undefined bytes are left as controls. */
const windows1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** Whatever no text file holds: NUL and the other controls, save tab, line ends and form feed. */
const foreign = /[\0-\x08\x0b\x0e-\x1f\x7f-\x9f]/;

/**
 * The text of a file: UTF-16 where its mark says so, as editors of Windows write it; UTF-8, with or without its mark; or else
 * windows-1252, which old editors still write.
 * @returns null when the bytes are not text
 */
export function decodeText(bytes: Uint8Array): string | null {
  const utf16 = utf16Of(bytes);
  const text = utf16 ? decode(utf16, bytes) : (decode('utf-8', bytes) ?? decodeWindows1252(bytes));
  return text === null || foreign.test(text) ? null : text;
}

/**
 * A text from a file or a name as one line that may be stored and shown: composed (NFC), without controls and broken
 * surrogates (neither fits into jsonb), its spaces collapsed, at most `length` characters.
 */
export function oneLine(text: string, length = 200): string {
  const line = text
    .replace(/[\p{Cc}\p{Cs}\s]+/gu, ' ')
    .normalize('NFC')
    .trim();
  return line.length <= length ? line : Array.from(line).slice(0, length).join('').trim();
}

/** What the mark says: `þÿ` and `ÿþ` begin no text of windows-1252. */
function utf16Of([first, second]: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : null;
}

function decode(encoding: string, bytes: Uint8Array): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** By hand: Node 20's own decoder takes windows-1252 for Latin-1 and turns curly quotes into controls. */
function decodeWindows1252(bytes: Uint8Array): string {
  const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return latin1.replace(/[\x80-\x9f]/g, (control) => windows1252.charAt(control.charCodeAt(0) - 0x80));
}
