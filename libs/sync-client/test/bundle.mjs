/**
 * Prints an ES module made of a source file and all it imports, for a browser: `node bundle.mjs entry.ts`. A program of its
 * own, because Vite's native parts do not take objects from the contexts Jest runs tests in.
 */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const libs = fileURLToPath(new URL('../../', import.meta.url));

const { output } = await build({
  configFile: false,
  logLevel: 'error',
  define: { 'process.env.NODE_ENV': '"production"' },
  resolve: { alias: [{ find: /^@soleil\/([^/]+)$/, replacement: `${libs}$1/src/index.ts` }] },
  build: {
    write: false,
    target: 'es2023',
    modulePreload: false,
    rollupOptions: { input: process.argv[2], preserveEntrySignatures: 'strict' },
  },
});
process.stdout.write(output.find(({ type }) => type === 'chunk').code);
