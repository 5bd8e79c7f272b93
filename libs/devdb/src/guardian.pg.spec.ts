import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { startPostgres, type EmbeddedPostgres } from './embedded-postgres.js';
import { isAlive } from './process-alive.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

interface Platform {
  process: ChildProcessByStdio<null, Readable, null>;
  lines: Interface;
  postgresPid: number;
  port: string;
}

/** One data directory for all of them: whatever a test does to the server, the next must be able to start. */
let home: string;
const platforms: Platform[] = [];
const running: EmbeddedPostgres[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'home of soleil-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));
afterEach(async () => {
  for (const { process: platform, postgresPid } of platforms.splice(0)) {
    platform.kill('SIGKILL');
    await goneBy(postgresPid);
  }
  for (const postgres of running.splice(0)) await postgres.kill();
});

const dataDir = () => join(home, 'data');

async function start(onExit?: (end: { lastLines: string[] }) => void): Promise<EmbeddedPostgres> {
  const postgres = await startPostgres({ dataDir: dataDir(), settings: { fsync: 'off' }, onExit });
  running.push(postgres);
  return postgres;
}

/** Another process with an embedded database in the same data directory. */
async function startPlatform(manner: 'staying' | 'passing' = 'staying'): Promise<Platform> {
  const args = ['test/support/run-sources.cjs', 'test/support/devdb-platform.ts', dataDir(), manner];
  // A process group of its own, as a shell gives to each command, so that the test can press Ctrl+C.
  const platform = spawn(process.execPath, args, { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(platform.stdout);
  const [line] = (await once(lines, 'line')) as [string];
  const { postgresPid, url } = JSON.parse(line) as { postgresPid: number; url: string };
  const started = { process: platform, lines, postgresPid, port: new URL(url).port };
  platforms.push(started);
  return started;
}

/** Another process's child: its exit is no event here, so the state is looked at again and again. */
async function goneBy(pid: number): Promise<void> {
  while (isAlive(pid)) await delay(10);
}

/** PostgreSQL's note in its pid file; the file itself goes when the server is gone. */
async function saysStopping(dir: string): Promise<void> {
  const file = join(dir, 'cluster', 'postmaster.pid');
  while (!/stopping/.test(await readFile(file, 'utf8').catch(() => 'stopping'))) await delay(1);
}

/** A dead process may stay listed until its new parent takes notice, so the server is asked rather than the list. */
async function isServed(port: string | number): Promise<boolean> {
  const socket = connect(Number(port), '127.0.0.1');
  return new Promise((resolve) => {
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}

function guardianOf(postgresPid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(postgresPid)], { encoding: 'utf8' }));
}

it('stops PostgreSQL when the platform is killed', async () => {
  const { process: platform, postgresPid } = await startPlatform();
  const guardian = guardianOf(postgresPid);
  platform.kill('SIGKILL');
  await goneBy(postgresPid);
  await goneBy(guardian);
});

it('ends with a platform that has nothing left to do, and does not hold it back', async () => {
  const { process: platform, postgresPid } = await startPlatform('passing');
  if (platform.exitCode === null) await once(platform, 'exit');
  expect(platform.exitCode).toBe(0);
  await goneBy(postgresPid);
});

it('lets the next platform start at once after one was killed', async () => {
  const { process: platform, postgresPid } = await startPlatform();
  platform.kill('SIGKILL');
  await once(platform, 'exit');
  const next = await start();
  expect(isAlive(postgresPid)).toBe(false);
  expect(next.pid).not.toBe(postgresPid);
});

it('waits for the server of a platform that is just stopping', async () => {
  const first = await start();
  const stopped = first.stop();
  await saysStopping(first.dataDir);
  const second = await start();
  await stopped;
  expect(second.pid).toBeDefined();
});

it('names the platform that has the database, and lets it be', async () => {
  const { process: platform, postgresPid } = await startPlatform();
  await expect(start()).rejects.toMatchObject({
    code: 'database_in_use',
    message: expect.stringContaining(`process ${platform.pid} `),
    remedy: expect.stringContaining(`${platform.pid}`),
  });
  expect(isAlive(postgresPid)).toBe(true);
});

it('refuses a second start in the same process', async () => {
  await start();
  await expect(start()).rejects.toMatchObject({ code: 'database_in_use' });
});

it('recovers a server whose platform and guardian were both killed', async () => {
  const { process: platform, postgresPid, port } = await startPlatform();
  const guardian = guardianOf(postgresPid);
  platform.kill('SIGSTOP');
  process.kill(guardian, 'SIGKILL');
  platform.kill('SIGKILL');
  await once(platform, 'exit');
  expect(await isServed(port)).toBe(true);
  await start();
  expect(await isServed(port)).toBe(false);
});

it('stops the server and says so when only the guardian was killed', async () => {
  let tell: (lines: string[]) => void = () => undefined;
  const told = new Promise<string[]>((resolve) => (tell = resolve));
  const postgres = await start((end) => tell(end.lastLines));
  process.kill(guardianOf(postgres.pid as number), 'SIGKILL');
  await told;
  expect(await isServed(postgres.port)).toBe(false);
  await postgres.restart();
});

it('recovers from a postmaster that was killed', async () => {
  let tell: () => void = () => undefined;
  const told = new Promise<void>((resolve) => (tell = resolve));
  const postgres = await start(() => tell());
  process.kill(postgres.pid as number, 'SIGKILL');
  await told;
  await postgres.restart();
  expect(postgres.pid).toBeDefined();
});

it('leaves Ctrl+C to the platform, which still has its database while it ends', async () => {
  const { process: platform, lines, postgresPid } = await startPlatform();
  const ended = once(lines, 'line') as Promise<[string]>;
  process.kill(-(platform.pid as number), 'SIGINT');
  expect(JSON.parse((await ended)[0])).toEqual({ ended: 'well' });
  expect(isAlive(postgresPid)).toBe(false);
});

it('is not misled by a stale pid file whose number another process bears by now', async () => {
  const postgres = await start();
  await postgres.stop();
  await writeFile(join(postgres.dataDir, 'cluster', 'postmaster.pid'), `${process.pid}\n${postgres.dataDir}\n`);
  await postgres.restart();
  expect(postgres.pid).toBeDefined();
  expect(isAlive(process.pid)).toBe(true);
});

it('does not take a PostgreSQL that somebody else started for a leftover of its own', async () => {
  const postgres = await start();
  await postgres.stop();
  const impostor = spawn('sleep', ['1000'], { argv0: `postgres -D ${join(postgres.dataDir, 'cluster')} ` });
  await once(impostor, 'spawn');
  try {
    await writeFile(join(postgres.dataDir, 'cluster', 'postmaster.pid'), `${impostor.pid}\n`);
    await expect(postgres.restart()).rejects.toMatchObject({ code: 'database_in_use' });
    expect(isAlive(impostor.pid as number)).toBe(true);
  } finally {
    impostor.kill();
    await once(impostor, 'exit');
  }
});
