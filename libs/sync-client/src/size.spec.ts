import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { bundle } from '../test/browser-page.js';

test('weighs less than 26 KB on the line, Socket.IO and idb included, and brings no schema library', async () => {
  const code = await bundle(fileURLToPath(new URL('./index.ts', import.meta.url)));
  expect(gzipSync(code, { level: 9 }).length).toBeLessThan(26 * 1024);
  expect(code).not.toMatch(/ZodError|\$ZodType/);
});
