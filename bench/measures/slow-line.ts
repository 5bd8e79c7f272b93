import { once } from 'node:events';
import { connect, type Socket as Line } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { userChannel, type Position } from '@soleil/sync-protocol';
import type { Arena } from '../arena.js';
import { Device } from '../device.js';
import { rounded, verdict, type Measure } from '../measure.js';
import { percentile } from '../report.js';
import type { Rig } from '../rigs/rig.js';
import { Throttle } from '../rigs/throttle.js';

const bitsPerSecond = 1_000_000;
const everyMs = 100;
const other = userChannel('u0');

export const slowLine: Measure = {
  name: 'slow-line',
  about: `A message on another channel, every ${everyMs} ms, while 10,000 missed messages are being caught up over a line of 1 Mbit/s, none of them compacted or compressed; and over the same line at rest.`,
  async run(arena, print) {
    const postgres = await arena.postgres();
    const rig = await arena.ours({
      databaseUrl: postgres.url(),
      users: 1,
      sync: { compactAfterMessages: 1_000_000 },
    });
    const missed = arena.pick(10_000, 1_000);
    const line = connect(rig.publishPort, '127.0.0.1');
    const throttle = await Throttle.open(rig.port, bitsPerSecond);
    const busy: number[] = [];
    const idle: number[] = [];
    const tookMs: number[] = [];
    try {
      let first = 0;
      for (let round = 0; round < arena.pick(3, 1); round++) {
        const position = await publishMissed(arena, rig, line, first, missed);
        const device = await Device.connect(throttle.port);
        const began = performance.now();
        await device.subscribe(other);
        await device.subscribe(rig.channel, position);
        busy.push(...(await others(line, device, () => device.has(rig.channel, first + missed - 1))));
        tookMs.push(Math.round(performance.now() - began));
        let left = arena.pick(100, 10);
        idle.push(...(await others(line, device, () => left-- <= 0)));
        device.mustHaveAll(rig.channel, first, missed);
        device.close();
        first += missed;
        print(`caught up in ${tookMs.at(-1)} ms; p99 of the other channel so far ${percentile(busy, 0.99).toFixed(1)}`);
      }
    } finally {
      line.destroy();
      await throttle.close();
    }
    const spread = (times: number[]): { p50: number; p99: number; max: number } => ({
      p50: rounded(percentile(times, 0.5)),
      p99: rounded(percentile(times, 0.99)),
      max: rounded(percentile(times, 1)),
    });
    const times = { catchingUp: spread(busy), atRest: spread(idle) };
    return {
      generator:
        'socket.io-client in the process of the benchmark: one device, ten messages a second beside the missed ones',
      figures: { missed, bitsPerSecond, caughtUpInMs: tookMs, samples: busy.length, times },
      verdicts: [verdict('p99 of the other channel', times.catchingUp.p99, 'ms', { atMost: 500 })],
      plot: {
        kind: 'bars',
        title: 'A message on another channel, over a line of 1 Mbit/s',
        unit: 'ms',
        groups: ['p50', 'p99'],
        series: [
          { name: '10,000 being caught up', values: [times.catchingUp.p50, times.catchingUp.p99] },
          { name: 'at rest', values: [times.atRest.p50, times.atRest.p99] },
        ],
      },
    };
  },
};

/** @returns where the channel stood before them */
async function publishMissed(arena: Arena, rig: Rig, line: Line, first: number, many: number): Promise<Position> {
  const device = await Device.connect(rig.port);
  const { epoch, head } = await device.subscribe(rig.channel);
  await device.until(() => device.told(rig.channel).position.offset >= head);
  device.close();
  for (let n = first; n < first + many; n++) {
    line.write(`${JSON.stringify({ n, text: 'x'.repeat(180) })}\n`);
    // No more than may wait for the log at once.
    if (n % 1_000 === 0) await stored(line);
  }
  await stored(line);
  return { epoch, offset: head };
}

async function stored(line: Line): Promise<void> {
  line.write('\n');
  const [answer] = (await once(line, 'data')) as [Buffer];
  if (!/^\d+ 0\n$/.test(answer.toString())) throw new Error(`Not all was stored: ${answer.toString()}`);
}

let numbers = 0;

/** @returns how long each message on the other channel took, until it is over, in ms */
async function others(line: Line, device: Device, isOver: () => boolean): Promise<number[]> {
  const publishedAt = new Map<number, number>();
  while (!isOver()) {
    const n = numbers++;
    publishedAt.set(n, performance.now());
    line.write(`${JSON.stringify({ n, channel: other, text: 'x'.repeat(180) })}\n`);
    await pause(everyMs);
  }
  await stored(line);
  const { arrivals } = device.told(other);
  await device.until(() => [...publishedAt.keys()].every((n) => arrivals.has(n)));
  return [...publishedAt].map(([n, at]) => arrivals.get(n)! - at);
}
