import { sha256, sha256ByHand } from './sha256.js';

const bytes = (length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, index) => (index * 37 + length) & 255);

test('the hash is the one of the standard', async () => {
  const abc = new TextEncoder().encode('abc');
  const known = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect([await sha256(abc), sha256ByHand(abc)]).toEqual([known, known]);
});

test("the hash by hand is the browser's, whatever the length", async () => {
  for (const length of [...Array(200).keys(), 100_001])
    expect(sha256ByHand(bytes(length))).toBe(await sha256(bytes(length)));
});
