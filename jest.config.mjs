import { availableParallelism } from 'node:os';
import compiler from './test/support/swc.cjs';

/**
 * One Jest project for every kind of test; a file's name says what the test needs:
 *
 * - `*.spec.ts` nothing but the code
 * - `*.pg.spec.ts` a real PostgreSQL (`test/support/database.ts`)
 * - `*.e2e-spec.ts` real sockets
 * - `*.browser-spec.ts` a real Chromium
 * - `*.long-spec.ts` a real PostgreSQL and a long time: `npm run test:long`
 * - `*.pack-spec.ts` the packages, built and packed, in projects of their own: `npm run test:packages`
 *
 * `TEST_KINDS` chooses among them by name, separated by commas: `TEST_KINDS=pure,pg`. Without it, all are run but the last two.
 *
 * Start it as `node --experimental-vm-modules node_modules/jest/bin/jest.js`, since Jest's ES modules need that flag.
 */
const PATTERNS = {
  pure: ['**/!(*.pg).spec.ts', '**/!(*.pg).spec.tsx'],
  pg: ['**/*.pg.spec.ts'],
  e2e: ['**/*.e2e-spec.ts'],
  browser: ['**/*.browser-spec.ts'],
  long: ['**/*.long-spec.ts'],
  pack: ['**/*.pack-spec.ts'],
};

const kinds = process.env.TEST_KINDS?.split(',') ?? Object.keys(PATTERNS).filter((kind) => !['long', 'pack'].includes(kind));
const unknown = kinds.filter((kind) => !(kind in PATTERNS));
if (unknown.length > 0) {
  throw new Error(`TEST_KINDS: unknown ${unknown.join(', ')}; known are ${Object.keys(PATTERNS).join(', ')}`);
}

/** Purely pure runs do without a database. */
const databaseHooks = {
  globalSetup: '<rootDir>/test/support/postgres-setup.ts',
  globalTeardown: '<rootDir>/test/support/postgres-teardown.ts',
};

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: [
    '<rootDir>/libs',
    '<rootDir>/apps',
    '<rootDir>/test',
    '<rootDir>/bench',
    '<rootDir>/scripts',
    '<rootDir>/examples',
  ],
  testMatch: kinds.flatMap((kind) => PATTERNS[kind]),
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform: { '\\.tsx?$': ['@swc/jest', compiler.swc] },
  resolver: '<rootDir>/test/support/resolver.cjs',
  moduleNameMapper: {
    '^@soleil/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
    // Each suite loads all anew. As their makers bundle them, these two are one file each instead of hundreds.
    '^es-toolkit/compat$': '<rootDir>/node_modules/es-toolkit/dist/browser.global.js',
    '^rxjs(/operators)?$': '<rootDir>/node_modules/rxjs/dist/bundles/rxjs.umd.js',
  },
  // One more than there are cores, since many tests wait for a lease, a lock or a pause to be over. More than four would want more
  // connections than PostgreSQL has.
  maxWorkers: Math.min(availableParallelism() + 1, 4),
  // What suites leave behind adds up in a worker, and its collector goes through all of it again and again.
  workerIdleMemoryLimit: '700MB',
  // All that wait for pauses to pass, in one suite, wait at once.
  maxConcurrency: 16,
  // For what is slow on a busy machine (a first start of PostgreSQL, a browser); nothing waits for time to pass.
  testTimeout: 30_000,
  ...(kinds.some((kind) => kind !== 'pure') ? databaseHooks : {}),
};
