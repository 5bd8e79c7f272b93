import { decodeText, oneLine } from './text.js';

describe('the text of a file', () => {
  it('is UTF-8, with or without its mark', () => {
    expect(decodeText(Buffer.from('Café B♭'))).toBe('Café B♭');
    expect(decodeText(Buffer.from('\ufeffCafé'))).toBe('Café');
  });

  it('is windows-1252 where it is not UTF-8', () => {
    expect(decodeText(Uint8Array.of(0x93, 0x43, 0x61, 0x66, 0xe9, 0x94))).toBe('“Café”');
  });

  it.each([
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
