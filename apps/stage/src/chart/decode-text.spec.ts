import { decodeText } from './decode-text.js';

it.each([
  ['UTF-8', [0xef, 0xbb, 0xbf, 0x42, 0xe2, 0x99, 0xad]],
  ['UTF-16 of one order', [0xff, 0xfe, 0x42, 0, 0x6d, 0x26]],
  ['UTF-16 of the other order', [0xfe, 0xff, 0, 0x42, 0x26, 0x6d]],
])('shows what the platform takes for a chart: %s', (_, bytes) => {
  expect(decodeText(Uint8Array.from(bytes))).toBe('B♭');
});

it('shows what Windows wrote before these', () => {
  expect(decodeText(Uint8Array.of(0x43, 0x61, 0x66, 0xe9))).toBe('Café');
});
