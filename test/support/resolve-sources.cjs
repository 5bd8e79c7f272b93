/**
 * Jest transforms what `globalSetup` and `globalTeardown` import, but leaves resolving to Node, which knows neither that a
 * source's `./x.js` is `./x.ts` nor that `@soleil/x` is to be read from its sources. This adds both; import it first.
 */
const Module = require('node:module');
const { join } = require('node:path');

const libs = join(__dirname, '..', '..', 'libs');
const resolveFilename = Module._resolveFilename;

Module._resolveFilename = function (request, parent, ...rest) {
  const lib = /^@soleil\/([^/]+)$/.exec(request)?.[1];
  if (lib !== undefined) return join(libs, lib, 'src', 'index.ts');
  const isSource = request.startsWith('.') && request.endsWith('.js') && parent?.filename?.endsWith('.ts');
  return resolveFilename.call(this, isSource ? `${request.slice(0, -'.js'.length)}.ts` : request, parent, ...rest);
};
