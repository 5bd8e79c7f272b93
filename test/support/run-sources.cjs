/**
 * Runs a TypeScript source as a process of its own, for tests that must kill one:
 * `node test/support/run-sources.cjs test/support/some-platform.ts argument…`. The arguments follow in `process.argv.slice(2)`.
 */
require('./resolve-sources.cjs');

const Module = require('node:module');
const { resolve } = require('node:path');

const { transformFileSync } = require('@swc/core');

const { swc } = require('./swc.cjs');

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformFileSync(filename, { ...swc, module: { type: 'commonjs' }, swcrc: false });
  module._compile(code, filename);
};

process.argv.splice(1, 1);
require(resolve(process.argv[1]));
