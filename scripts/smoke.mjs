// `npm run smoke`: what a new user does. Clones this checkout into an empty directory with a space in its path, runs
// `npm start` there, and checks that it answers in time, stops without a trace, and loses nothing to `kill -9`.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './install.mjs';

const secondsToAnswer = 60;
const home = mkdtempSync(join(tmpdir(), 'soleil new user '));
const clone = join(home, 'my clone');
let failures = 0;

try {
  execFileSync('git', ['clone', '--quiet', root, clone]);
  const port = await freePort();
  const began = Date.now();
  const first = start(port);
  await first.answers('/health/ready');
  report(
    'a fresh npm start answers',
    (Date.now() - began) / 1000,
    (seconds) => seconds <= secondsToAnswer,
    `s, at most ${secondsToAnswer}`,
  );
  const { token } = await signIn(port);
  await settled(port, token);
  const before = await library(port, token);
  report('the trumpeter sees songs', before.length, (songs) => songs >= 12);

  const taken = await start(port).ended();
  report('a second start on the taken port says so', taken.output.includes(`Port ${port} is taken`), Boolean);
  report('and fails', taken.code, (code) => code === 1, '(exit code)');

  const stopped = await first.stop('SIGTERM');
  report('SIGTERM stops it cleanly', stopped.code, (code) => code === 0, '(exit code)');
  await nothingLeft();

  const second = start(port);
  await second.answers('/health/ready');
  writeFileSync(
    join(clone, 'library', 'Killed Tune_Concert.cho'),
    '{title: Killed Tune}\n{key: C}\n\n[C]This was saved just before [G]the end\n',
  );
  second.killAll();
  await second.ended();
  await nothingLeft();
  const third = start(port);
  await third.answers('/health/ready');
  await settled(port, token);
  const after = await library(port, token);
  report(
    'after kill -9 the file saved just before is there',
    after.some(({ title }) => title === 'Killed Tune'),
    Boolean,
  );
  report('and nothing else is lost', after.length, (songs) => songs === before.length + 1);
  await third.stop('SIGTERM');
  await nothingLeft();
} catch (error) {
  failures += 1;
  console.error(error);
} finally {
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
console.log(failures === 0 ? 'Smoke test passed.' : `Smoke test: ${failures} failures.`);
process.exit(failures === 0 ? 0 : 1);

function start(port) {
  const child = spawn('npm', ['start'], {
    cwd: clone,
    env: { ...process.env, PORT: String(port), CI: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const closed = new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
  return {
    ended: () => closed,
    stop: (signal) => (child.kill(signal), closed),
    killAll: () => {
      for (const pid of processesIn(clone)) process.kill(pid, 'SIGKILL');
    },
    async answers(path) {
      let over = null;
      void closed.then((end) => (over = end));
      while (
        !(await fetch(`http://127.0.0.1:${port}${path}`).then(
          ({ ok }) => ok,
          () => false,
        ))
      ) {
        if (over) throw new Error(`npm start ended with ${over.code}:\n${over.output}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
  };
}

async function signIn(port) {
  const response = await fetch(`http://127.0.0.1:${port}/auth/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: 'tina', password: 'rehearsal' }),
  });
  return response.json();
}

async function get(port, token, path) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return response.json();
}

/** Every file of the folder is in the log. */
async function settled(port, token) {
  const wanted = readdirSync(join(clone, 'library'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  ).length;
  for (;;) {
    const { bands } = await get(port, token, '/sync/status');
    if (bands[0]?.files === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function library(port, token) {
  const { bands } = await get(port, token, '/library');
  return bands[0].songs;
}

/** Processes whose command line or directory lies in the clone: the platform, its PostgreSQL and what guards it. */
function processesIn(directory) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory) ||
          execFileSync('readlink', [`/proc/${pid}/cwd`], { encoding: 'utf8' }).includes(directory)
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** PostgreSQL notices its guardian's end by itself: wait for that, at most some seconds, then name what is left. */
async function nothingLeft() {
  const until = Date.now() + 10_000;
  while (processesIn(clone).length > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 100));
  report('no process is left behind', processesIn(clone).length, (left) => left === 0, '(processes)');
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function report(what, value, holds, unit = '') {
  const ok = holds(value);
  if (!ok) failures += 1;
  console.log(`${ok ? '✓' : '✗'} ${what}: ${value} ${unit}`);
}
