import react from '@vitejs/plugin-react';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const here = import.meta.dirname;
const library = (name: string): string => resolve(here, `../../libs/${name}/src/index.ts`);
const platform = process.env.PLATFORM_URL ?? 'http://127.0.0.1:3000';

/**
 * What pdf.js asks for by name while it draws: the fonts that a PDF may leave out, decoders, and maps of East Asian
 * encodings. They lie in a folder of their version, below `assets/`, so that they may be kept for ever.
 */
function pdfResources(): Plugin {
  const directory = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'));
  const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { version: string };
  const base = `assets/pdfjs-${version}/`;
  const folders = ['standard_fonts', 'wasm', 'cmaps', 'iccs'];
  return {
    name: 'pdf-resources',
    config: () => ({ define: { __PDF_RESOURCES__: JSON.stringify(`/${base}`) } }),
    generateBundle() {
      for (const folder of folders) {
        for (const name of readdirSync(join(directory, folder))) {
          this.emitFile({
            type: 'asset',
            fileName: `${base}${folder}/${name}`,
            source: readFileSync(join(directory, folder, name)),
          });
        }
      }
    },
    configureServer(server) {
      server.middlewares.use(`/${base}`, (request, response, next) => {
        const [folder, name] = (request.url ?? '').split('?')[0]!.split('/').filter(Boolean);
        const known =
          folder !== undefined &&
          name !== undefined &&
          folders.includes(folder) &&
          readdirSync(join(directory, folder)).includes(name);
        if (known) response.end(readFileSync(join(directory, folder, name)));
        else next();
      });
    },
  };
}

export default defineConfig({
  root: here,
  plugins: [react(), pdfResources()],
  resolve: {
    alias: {
      '@soleil/sync-protocol': library('sync-protocol'),
      '@soleil/sync-client': library('sync-client'),
      '@soleil/sync-react': library('sync-react'),
    },
  },
  build: { outDir: resolve(here, 'dist'), emptyOutDir: true, chunkSizeWarningLimit: 1200, reportCompressedSize: false },
  server: {
    // `npx vite apps/stage` beside a running platform: the page reloads as it is written.
    proxy: {
      ...Object.fromEntries(['/auth', '/sync', '/files', '/library'].map((path) => [path, platform])),
      '/socket.io': { target: platform, ws: true },
    },
  },
});
