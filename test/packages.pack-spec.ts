import { readFileSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Socket } from 'socket.io-client';
import { freshDatabase, type TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { freshExample, freshProject, packPackages, workshop, type Packed } from './support/fresh-project.js';
import { Program } from './support/program.js';
import { stockClient } from './support/sync-app.js';

const root = join(import.meta.dirname, '..');
const names = readdirSync(join(root, 'libs'));
const compiler = join(root, 'node_modules/typescript/bin/tsc');
// A first build on a busy machine.
const buildTimeoutMs = 180_000;

let bench: string;
let packed: Map<string, Packed>;
let choirHome: string;
const programs: Program[] = [];

beforeAll(async () => {
  bench = await workshop();
  packed = await packPackages(names, bench);
  choirHome = await freshExample('minimal-nest', packed, bench);
  const compilation = new Program(choirHome, [compiler, '-p', 'tsconfig.build.json']);
  expect(await compilation.toEnd()).toBe('');
}, buildTimeoutMs);

afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop('SIGKILL');
});
afterAll(() => rm(bench, { recursive: true, force: true, maxRetries: 5 }));

function start(directory: string, args: string[], env?: Record<string, string | undefined>): Program {
  const program = new Program(directory, args, env);
  programs.push(program);
  return program;
}

/** @returns the choir and the address it listens at */
async function startChoir(databaseUrl: string | undefined, port = '0'): Promise<{ choir: Program; url: string }> {
  const choir = start(choirHome, ['dist/main.js'], { DATABASE_URL: databaseUrl, PORT: port, NO_COLOR: '1' });
  const [, url] = await choir.says(/^The choir is at (\S+)$/);
  return { choir, url: url! };
}

async function post<Answer>(url: string, body: object, token?: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return (await response.json()) as Answer;
}

async function signIn(url: string, login: string): Promise<string> {
  return (await post<{ token: string }>(`${url}/auth/sign-in`, { login, password: 'sing' })).token;
}

describe.each(names)('the package %s', (name) => {
  it('ships what was compiled and its types, and neither sources nor tests', () => {
    const { files } = packed.get(`@soleil/${name}`)!;
    expect(files).toEqual(expect.arrayContaining(['package.json', 'dist/index.js', 'dist/index.d.ts', 'dist/index.js.map']));
    expect(
      files.filter(
        (path) =>
          !/^dist\/.+\.(js|js\.map|d\.ts)$|^package\.json$|^(README|LICENSE|CHANGELOG|MODULE|PROTOCOL)\b/.test(path) ||
          path.includes('spec'),
      ),
    ).toEqual([]);
  });

  it('loads with nothing installed but what it declares', async () => {
    const home = await freshProject({ name: 'user', dependencies: { [`@soleil/${name}`]: '*' } }, packed, bench);
    const program = start(home, [
      '--input-type=module',
      '-e',
      `console.log(Object.keys(await import('@soleil/${name}')).sort().join())`,
    ]);
    const [, values] = /^([\w,]+)\n$/.exec(await program.toEnd()) ?? [];
    expect(values?.split(',')).toEqual(valuesOf(name));
  });
});

/** What the package's index exports beside types. */
function valuesOf(name: string): string[] {
  const index = readFileSync(join(root, 'libs', name, 'dist/index.js'), 'utf8');
  return [...index.matchAll(/^export \{ ([^}]+?) \} from/gm)]
    .flatMap(([, list]) => list!.split(/,\s*/).filter(Boolean))
    .sort();
}

describe('a platform of another kind that installed the packages', () => {
  let database: TestDatabase;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    database = await freshDatabase();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    for (const program of programs.splice(0)) await program.stop('SIGKILL');
    await database.drop();
  });

  it('brings its own messages and the files it tells of to a stock Socket.IO client', async () => {
    const { choir, url } = await startChoir(database.url);
    const socket = stockClient(url, { token: await signIn(url, 'ben') });
    sockets.push(socket);
    const ben = new Follower(socket, 'band:choir');
    await ben.subscribe();
    await choir.says(/ave-verum is on its way to band:choir$/);
    await ben.count(1);
    const note = await post(`${url}/notes`, { text: 'Rehearsal at seven' }, await signIn(url, 'anna'));
    await ben.count(2);
    expect(note).toEqual({ id: 1, author: 'anna', text: 'Rehearsal at seven' });
    expect(ben.messages).toMatchObject([
      { offset: 1, type: 'file_update', key: 'file:ave-verum', data: { content: { firstLine: 'Ave verum corpus' } } },
      { offset: 2, type: 'note', key: 'note:1', data: note },
    ]);
  });

  it('refuses whom it does not know, in its own words', async () => {
    const { url } = await startChoir(database.url);
    expect(await post(`${url}/auth/sign-in`, { login: 'ben', password: 'shout' })).toMatchObject({
      error: { code: 'sign_in_failed' },
    });
    const socket = stockClient(url, { token: 'ben.forged' });
    sockets.push(socket);
    const refusal = await new Promise((resolve) => socket.once('connect_error', resolve));
    expect(refusal).toMatchObject({ data: { code: 'token_invalid', message: 'That token is not ours.' } });
  });

  it('is followed by the terminal client, which prints each change once over a restart', async () => {
    const home = await freshExample('terminal-client', packed, bench);
    const first = await startChoir(database.url);
    const terminal = start(home, ['follow.mjs', first.url, 'ben', 'sing']);
    await terminal.says(/^band:choir @1 file_update/);
    const token = await signIn(first.url, 'anna');
    await post(`${first.url}/notes`, { text: 'Rehearsal at seven' }, token);
    await terminal.says(/^band:choir @2 note/);
    await first.choir.stop();
    const second = await startChoir(database.url, new URL(first.url).port);
    await post(`${second.url}/notes`, { text: 'Bring water' }, token);
    await terminal.says(/^band:choir @3 note/);
    expect(
      terminal.lines.filter((line) => line.startsWith('band:choir @')).map((line) => line.split(' ').slice(1, 4)),
    ).toEqual([
      ['@1', 'file_update', 'file:ave-verum'],
      ['@2', 'note', 'note:1'],
      ['@3', 'note', 'note:2'],
    ]);
  });

  it('runs on a database that it brings along where it is given none', async () => {
    const { choir } = await startChoir(undefined);
    await choir.says(/ave-verum is on its way/);
    await choir.stop();
  });
});
