import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultSyncOptions, resolveSyncOptions } from './options.js';

const text = readFileSync(join(import.meta.dirname, '..', 'MODULE.md'), 'utf8');
const part = (title: string): string => new RegExp(`^## ${title}\\n(.*?)^## `, 'ms').exec(`${text}\n## `)?.[1] ?? '';
const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
  .map((path) => readFileSync(join(import.meta.dirname, path), 'utf8'))
  .join('\n');

const isQuestion = (name: string): boolean => /_(requested|presented)$/.test(name);

const all = (from: string, pattern: RegExp): string[] =>
  [...new Set([...from.matchAll(pattern)].map(([, name]) => name!))].sort();

test('MODULE.md lists every option with the default that the module uses', () => {
  const rows = [...part('Options').matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(
    ([, name, value]) => [name!, value!] as const,
  );
  expect(rows.map(([name]) => name)).toEqual(Object.keys(resolveSyncOptions()));
  const numbers = Object.entries(defaultSyncOptions).filter(([, value]) => typeof value === 'number');
  expect(
    Object.fromEntries(rows.filter(([, value]) => /^\d+$/.test(value)).map(([name, value]) => [name, Number(value)])),
  ).toEqual(Object.fromEntries(numbers));
});

test('MODULE.md names exactly the facts that the module listens to and tells', () => {
  const named = all(part('The bus'), /`((?:auth|drive|content|sync)\.\w+)`/g).filter((name) => !isQuestion(name));
  expect(named).toEqual(all(sources, /(?:OnFact|this\.tell)\('([\w.]+)'/g));
});

test('MODULE.md names exactly the questions that the module asks', () => {
  const named = all(part('The bus'), /^\| `([\w.]+)` \| .+ \|$/gm).filter(isQuestion);
  expect(named).toEqual(all(sources, /\.request\('([\w.]+)'/g));
});

test('MODULE.md names exactly the REST calls that the module has', () => {
  const routes = [...sources.matchAll(/@(Get|Post|Put|Patch|Delete)\('([^']*)'\)/g)].map(
    ([, verb, path]) => `${verb!.toUpperCase()} /sync/${path}`,
  );
  expect(all(part('REST'), /^\| `(\w+ [^`]+)` \|/gm)).toEqual(routes.sort());
});

test('MODULE.md names exactly the tables of the migrations', () => {
  expect(all(part('Tables'), /^\| `(\w+)` \|/gm)).toEqual(all(sources, /create table (\w+)/g));
});

test('MODULE.md names every public method of the five services', () => {
  const files = [
    'event-broadcaster.ts',
    'engine/sync-engine.ts',
    'engine/file-synchronizer.ts',
    'gateway/web-socket-gateway.ts',
    'ledger/delivery-ledger.ts',
  ];
  // What Nest calls is nobody else's to call.
  const hooks = /^(constructor|on[A-Z]|before|after|handle|loggedOut|permissionUpdated)/;
  const methods = files
    .flatMap((file) => all(readFileSync(join(import.meta.dirname, file), 'utf8'), /^ {2}(?:async )?(\w+)\((?:.*\{)?$/gm))
    .filter((name) => !hooks.test(name));
  expect(all(part('Services'), /^\| `(\w+)\(/gm)).toEqual([...new Set(methods)].sort());
});

test('the guarantees of MODULE.md are numbered without a gap', () => {
  const numbers = [...part('Guarantees').matchAll(/^\| (\d+) \|/gm)].map(([, n]) => Number(n));
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  expect(numbers.length).toBeGreaterThan(10);
});
