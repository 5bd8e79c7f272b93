/**
 * `npm run latency [-- --changes 500 --rate 8 --keep]`: how long a saved file takes to each member's screen, and a
 * committed message to each connected device, on a real server, a real PostgreSQL with fsync, real sockets, a real page.
 *
 * One process holds the server and the saving; devices are stock sockets in it; the screen is a Chromium of its own. All
 * share this machine's clock and cores. What is reported as commit is the time of the INSERT within the committing
 * transaction, and as save the time just before the write: both make the figures longer, never shorter.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { setTimeout as at } from 'node:timers/promises';
import { startPostgres } from '@soleil/devdb';
import { bandChannel, protocolVersion, type FileUpdate, type MessagesFrame } from '@soleil/sync-protocol';
import { io } from 'socket.io-client';
import { projectRoot, readConfig } from '../apps/platform/src/config.js';
import { createPlatform } from '../apps/platform/src/platform.js';
import { buildStageIfStale } from '../apps/platform/src/stage-build.js';
import { machine, percentile, type Machine } from './report.js';
import { openScreen } from './screen.js';

const { values } = parseArgs({
  options: {
    changes: { type: 'string', default: '500' },
    rate: { type: 'string', default: '8' },
    keep: { type: 'boolean', default: false },
  },
});
const changes = Number(values.changes);
/** Saves per second. */
const rate = Number(values.rate);
const warmUp = 40;
/** As many files take turns, so that none is saved again before its last version was seen. */
const files = 20;
const devices = 10;
const bars = { deliveryP99Ms: 100, screenP99Ms: 1_000, everyMs: 5_000, deliveryWithin100: 0.999 };

const home = await mkdtemp(join(tmpdir(), 'soleil-latency-'));
const libraryDir = join(home, 'library');
await mkdir(libraryDir);
await buildStageIfStale();
const postgres = await startPostgres({ dataDir: join(home, 'postgres') });
const config = readConfig({ PORT: '0', LIBRARY_DIR: libraryDir, DATA_DIR: home });
const app = await createPlatform({ config, databaseUrl: postgres.url(), logger: ['error', 'fatal'] });
await app.listen(0, '127.0.0.1');
const url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;

const savedAt: number[] = [];
const deliveries: { take: number; ms: number; sinceSaveMs: number }[] = [];
const token = await signIn('pete');
const { bands } = (await (await fetch(`${url}/auth/me`, { headers: { authorization: `Bearer ${token}` } })).json()) as {
  bands: { bandId: string }[];
};
const channel = bandChannel(bands[0]!.bandId);
const sockets = await Promise.all(Array.from({ length: devices }, (_, nth) => device(nth)));
// Another member's: one user may have ten devices.
const screen = await openScreen(url, 'alma');

try {
  await run();
  const complete = await report();
  process.exitCode = complete ? 0 : 1;
} finally {
  await screen?.close();
  for (const socket of sockets) socket.disconnect();
  await app.close();
  await postgres.stop();
  await rm(home, { recursive: true, force: true });
}

async function run(): Promise<void> {
  const began = Date.now();
  for (let take = 0; take < warmUp + changes; take++) {
    await at(Math.max(0, began + (take * 1000) / rate - Date.now()));
    const name = `Tune ${take % files}`;
    savedAt[take] = Date.now();
    await writeFile(
      join(libraryDir, `${name}_Concert.cho`),
      `{title: ${name} take ${take}.}\n{key: C}\n\n[C]Sung for the [G]take of number ${take}\n`,
    );
  }
  // What has not come by then is lost, or missed its bar by far.
  const until = Date.now() + bars.everyMs;
  while (
    (deliveries.length < (warmUp + changes) * devices || (screen && (await screen.seen()).size < warmUp + changes)) &&
    Date.now() < until
  )
    await at(50);
}

async function device(nth: number): Promise<ReturnType<typeof io>> {
  const socket = io(`${url}/sync`, {
    auth: { token, deviceId: `latency-device-${nth}`, protocol: protocolVersion },
    transports: ['websocket'],
    forceNew: true,
  });
  socket.on('messages', (frame: MessagesFrame) => {
    const now = Date.now();
    for (const message of frame.messages) {
      const take = takeOf((message.data as FileUpdate | null)?.content.title ?? '');
      if (take !== null) deliveries.push({ take, ms: now - Date.parse(message.at), sinceSaveMs: now - savedAt[take]! });
    }
    socket.emit('ack', { channel: frame.channel, offset: frame.to });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  await socket.emitWithAck('subscribe', { channel });
  return socket;
}

async function signIn(login: string): Promise<string> {
  const response = await fetch(`${url}/auth/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login, password: 'rehearsal' }),
  });
  return ((await response.json()) as { token: string }).token;
}

function takeOf(title: string): number | null {
  const match = / take (\d+)\.$/.exec(title);
  return match ? Number(match[1]) : null;
}

interface Result {
  machine: Machine;
  changes: number;
  savesPerSecond: number;
  devices: number;
  commitToDeviceMs: Spread;
  saveToDeviceMs: Spread;
  saveToScreenMs: Spread | null;
  deliveredWithin100Ms: number;
  missing: { deliveries: number; screens: number };
}

interface Spread {
  p50: number;
  p99: number;
  max: number;
}

async function report(): Promise<boolean> {
  const counted = deliveries.filter(({ take }) => take >= warmUp);
  const seen = await screen?.seen();
  const screens = seen ? [...seen].filter(([take]) => take >= warmUp).map(([take, time]) => time - savedAt[take]!) : null;
  const result: Result = {
    machine: machine(projectRoot),
    changes,
    savesPerSecond: rate,
    devices,
    commitToDeviceMs: spread(counted.map(({ ms }) => ms)),
    saveToDeviceMs: spread(counted.map(({ sinceSaveMs }) => sinceSaveMs)),
    saveToScreenMs: screens && spread(screens),
    deliveredWithin100Ms: counted.filter(({ ms }) => ms <= 100).length / (changes * devices),
    missing: { deliveries: changes * devices - counted.length, screens: screens ? changes - screens.length : 0 },
  };
  console.log(JSON.stringify(result, null, 2));
  if (!screens) console.log('Not measured: save → screen, since no Chromium was found.');
  if (values.keep) {
    await mkdir(join(projectRoot, 'bench/results'), { recursive: true });
    await writeFile(join(projectRoot, 'bench/results/latency.json'), `${JSON.stringify(result, null, 2)}\n`);
  }

  const verdicts = [
    verdict('nothing missing', result.missing.deliveries + result.missing.screens, (count) => count === 0),
    verdict('commit → device, p99', result.commitToDeviceMs.p99, (ms) => ms < bars.deliveryP99Ms, 'ms'),
    verdict('delivered within 100 ms, share', result.deliveredWithin100Ms, (share) => share >= bars.deliveryWithin100),
    verdict('save → device, every one', result.saveToDeviceMs.max, (ms) => ms < bars.everyMs, 'ms'),
    ...(result.saveToScreenMs
      ? [
          verdict('save → screen, p99', result.saveToScreenMs.p99, (ms) => ms < bars.screenP99Ms, 'ms'),
          verdict('save → screen, every one', result.saveToScreenMs.max, (ms) => ms < bars.everyMs, 'ms'),
        ]
      : []),
  ];
  return verdicts.every(Boolean);
}

function spread(times: readonly number[]): Spread {
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99), max: percentile(times, 1) };
}

function verdict(what: string, value: number, holds: (value: number) => boolean, unit = ''): boolean {
  const ok = holds(value);
  console.log(`${ok ? '✓' : '✗'} ${what}: ${value} ${unit}`);
  return ok;
}
