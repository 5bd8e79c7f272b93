import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** An ES module made of this source file and all it imports, minified, for a browser. */
export const bundle = async (entry: string): Promise<string> => {
  const program = fileURLToPath(new URL('./bundle.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, entry], {
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, NODE_ENV: 'production' },
  });
  return stdout;
};

/**
 * Serves an empty page, which loads `entry` as a module, on a free port of this machine. What the module exports is
 * `window.exported`.
 */
export const servePage = async (entry: string): Promise<{ url: string; close(): Promise<void> }> => {
  const code = await bundle(entry);
  const page =
    '<!doctype html><title>test</title><div id="root"></div><script type="module">window.exported = await import("/bundle.js")</script>';
  const server = createServer((request, response) => {
    const isBundle = request.url === '/bundle.js';
    response.setHeader('content-type', isBundle ? 'text/javascript' : 'text/html').end(isBundle ? code : page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
};
