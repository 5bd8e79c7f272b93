import type { NestExpressApplication } from '@nestjs/platform-express';
import type { ServerResponse } from 'node:http';
import { sep } from 'node:path';
import { stageDirectory } from './stage-build.js';

/** No script but the page's own, no frame around it, nothing loaded from elsewhere. pdf.js needs its worker and WebAssembly. */
const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data: blob:",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "connect-src 'self' ws: wss:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/** Serves the musician's page at `/`. Files with a hash in their name may be kept for ever, the page itself is asked for anew. */
export function serveStage(app: NestExpressApplication): void {
  app.useStaticAssets(stageDirectory, {
    index: 'index.html',
    setHeaders: (response: ServerResponse, path: string) => {
      const isHashed = path.includes(`${sep}assets${sep}`);
      response.setHeader('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      response.setHeader('X-Content-Type-Options', 'nosniff');
      if (path.endsWith('.html')) response.setHeader('Content-Security-Policy', contentSecurityPolicy);
    },
  });
}
