import { decodeText, oneLine } from './text.js';

describe('the text of a file', () => {
  it('is UTF-8, with or without its mark', () => {
    expect(decodeText(Buffer.from('Café B♭'))).toBe('Café B♭');
    expect(decodeText(Buffer.from('\ufeffCafé'))).toBe('Café');
  });

  it('is windows-1252 where it is not UTF-8', () => {
    expect(decodeText(Uint8Array.of(0x93, 0x43, 0x61, 0x66, 0xe9, 0x94))).toBe('“Café”');
  });

  it('is UTF-16 where its mark says so, in either order', () => {
    const bytes = Buffer.from('\ufeffCafé B♭ 𝄞', 'utf16le');
    expect(decodeText(bytes)).toBe('Café B♭ 𝄞');
    expect(decodeText(bytes.swap16())).toBe('Café B♭ 𝄞');
  });

  it.each([
    ['half a character of UTF-16', [0xff, 0xfe, 0x61]],
    ['half a pair of UTF-16', [0xff, 0xfe, 0x34, 0xd8, 0x61, 0]],
    ['a NUL of UTF-16', [0xfe, 0xff, 0, 0x61, 0, 0]],
    ['a NUL byte', [0x61, 0, 0x62]],
    ['a control', [0x61, 0x07]],
    ['a byte that windows-1252 does not know', [0x61, 0x81]],
  ])('does not hold %s', (_, bytes) => {
    expect(decodeText(Uint8Array.from(bytes))).toBeNull();
  });
});

describe('one line', () => {
  it('is cut between characters, not within one', () => {
    expect(oneLine('𝄞𝄞𝄞', 2)).toBe('𝄞𝄞');
  });
});
