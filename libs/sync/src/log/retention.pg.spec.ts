import fc from 'fast-check';
import { DataSource } from 'typeorm';
import type { TestDatabase } from '../../../../test/support/database.js';
import { syncDatabase } from '../../../../test/support/sync-database.js';
import { ReadingDevice } from '../../test/reading-device.js';
import { costOf } from '../../test/statement-cost.js';
import { Turns } from '../fan-out/turns.js';
import { ChannelHub, type HubOptions } from '../fan-out/channel-hub.js';
import { LogReader } from './log-reader.js';
import { pruneMessages } from './prune-statements.js';
import { Retention } from './retention.js';

interface Entry {
  offset: number;
  key: string | null;
  isGone: boolean;
  ageDays: number;
}

const retentionDays = 30;

/** What is where after retention, and what a device must have: the model. */
class Model {
  constructor(readonly history: readonly Entry[]) {}

  /** The last message before which all are too old. */
  get horizon(): number {
    const young = this.history.find(({ ageDays }) => ageDays < retentionDays);
    return young ? young.offset - 1 : this.history.length;
  }

  /** Offsets that are left: beyond the horizon all of them, before it the state. */
  get left(): number[] {
    const { horizon } = this;
    return this.history
      .filter(
        ({ offset, key, isGone }) => offset > horizon || (key !== null && !isGone && !this.isSpokenFor(offset, horizon)),
      )
      .map(({ offset }) => offset);
  }

  rowsAt(offset: number): Map<string, unknown> {
    const rows = new Map<string, unknown>();
    for (const { key, isGone, offset: n } of this.history.slice(0, offset)) {
      if (key === null) continue;
      if (isGone) rows.delete(key);
      else rows.set(key, n);
    }
    return rows;
  }

  eventsAfter(offset: number): number[] {
    return this.history.filter(({ key, offset: n }) => key === null && n > offset).map(({ offset: n }) => n);
  }

  /** Something went after this offset of which no message is left to tell. */
  hasExpired(offset: number): boolean {
    const { horizon } = this;
    return this.history
      .slice(offset, horizon)
      .some(({ key, isGone, offset: n }) => key === null || (isGone && !this.isSpokenFor(n, this.history.length)));
  }

  private isSpokenFor(offset: number, upTo: number): boolean {
    const { key } = this.history[offset - 1]!;
    return key !== null && this.history.slice(offset, upTo).some((later) => later.key === key);
  }
}

const anyHistory = fc
  .array(fc.record({ key: fc.constantFrom('a', 'b', 'c', null), isGone: fc.boolean(), days: fc.nat({ max: 6 }) }), {
    minLength: 1,
    maxLength: 40,
  })
  .map((entries) => {
    let ageDays = 0;
    const ages = entries.map(({ days }) => (ageDays += days)).reverse();
    return entries.map(({ key, isGone }, index): Entry => ({ offset: index + 1, key, isGone, ageDays: ages[index]! }));
  });

/** `share` of the history it had been told, null for a new one; frames it takes before retention comes. */
const anyDevice = fc.record({ share: fc.option(fc.double({ min: 0, max: 1, noNaN: true })), frames: fc.nat({ max: 4 }) });

const anyOptions = fc.record({
  tailMessages: fc.constantFrom(1, 5, 100),
  pageMessages: fc.constantFrom(1, 3, 100),
  frameBytes: fc.constant(100_000),
  compactAfterMessages: fc.constantFrom(1, 8, 100),
});

describe('retention', () => {
  let testDatabase: TestDatabase;
  let database: DataSource;
  let channels = 0;
  let channel: string;

  beforeAll(async () => {
    testDatabase = await syncDatabase();
    database = await new DataSource({ type: 'postgres', url: testDatabase.url }).initialize();
  });
  afterAll(async () => {
    await database.destroy();
    await testDatabase.drop();
  });
  beforeEach(() => {
    channel = `band:${++channels}`;
  });

  const hubOf = async (options: HubOptions): Promise<ChannelHub> => {
    const node = { obey: () => undefined };
    const hub = new ChannelHub(channel, new LogReader(database), options, node, new Turns(64));
    await hub.open();
    return hub;
  };
  const prune = (piece?: number): Promise<void> =>
    new Retention(database, { retentionDays, retentionIntervalMs: 1 }, piece).prune();
  const remaining = async (): Promise<number[]> => {
    const rows = await database.query<{ offset: number }[]>(
      `select "offset"::float8 as "offset" from sync_message where channel = $1 order by 1`,
      [channel],
    );
    return rows.map(({ offset }) => offset);
  };

  /** Every tenth message begins an epoch. */
  async function write(history: readonly Entry[]): Promise<void> {
    await database.query(
      `insert into sync_message (channel, "offset", id, type, key, data, published_at)
       select $1, e."offset", gen_random_uuid(), 'note', e.key, case when not e."isGone" then to_jsonb(e."offset") end,
              clock_timestamp() - e."ageDays" * interval '1 day'
       from jsonb_to_recordset($2) e ("offset" bigint, key text, "isGone" boolean, "ageDays" integer)`,
      [channel, JSON.stringify(history)],
    );
    await database.query(
      `insert into sync_channel_epoch (channel, epoch, began_at)
       select $1, 'epoch-' || n, n from generate_series(1, $2::integer, 10) n`,
      [channel, history.length],
    );
    await database.query(
      `insert into sync_channel (name, head, epoch)
       select $1, $2, epoch from sync_channel_epoch where channel = $1 order by began_at desc limit 1`,
      [channel, history.length],
    );
  }

  const positionAt = (model: Model, share: number): { offset: number; rows: Map<string, unknown> } => {
    const offset = Math.round(share * model.history.length);
    return { offset, rows: model.rowsAt(offset) };
  };
  const epochAt = (offset: number): string => `epoch-${Math.floor(Math.max(offset - 1, 0) / 10) * 10 + 1}`;

  test('leaves the state of what is old and all of what is not, and every device with what it must have', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyHistory,
        fc.array(anyDevice, { minLength: 1, maxLength: 5 }),
        anyOptions,
        fc.constantFrom(1, 3, 500),
        async (history, visitors, options, piece) => {
          channel = `band:${++channels}`;
          const model = new Model(history);
          await write(history);
          const before = await hubOf(options);
          const passed = visitors.map(({ share, frames }) => {
            const position = share === null ? null : positionAt(model, share);
            return { position, frames, device: new ReadingDevice(before, position) };
          });
          for (const { device, frames } of passed) for (let n = 0; n < frames; n++) await device.next();
          await prune(piece);
          expect(await remaining()).toEqual(model.left);
          for (const { device, position } of passed) {
            await device.finish();
            expect(device.rows).toEqual(model.rowsAt(history.length));
            // Events are told to who was never reset; a new device is told none of what was before it.
            if (position && device.resets.length === 0) expect(device.events).toEqual(model.eventsAfter(position.offset));
          }
          const after = await hubOf(options);
          for (const { position } of passed) {
            const loss = position && (await after.lossOf({ epoch: epochAt(position.offset), offset: position.offset }));
            const expired = position !== null && model.hasExpired(position.offset);
            expect(loss).toBe(expired ? 'position_expired' : null);
            const device = new ReadingDevice(after, expired ? null : position);
            await device.finish();
            expect(device.resets).toEqual([]);
            expect(device.rows).toEqual(model.rowsAt(history.length));
            expect(device.events).toEqual(position && !expired ? model.eventsAfter(position.offset) : []);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  const old = (offset: number, key: string | null, isGone = false): Entry => ({ offset, key, isGone, ageDays: 31 });
  const options: HubOptions = { tailMessages: 1, pageMessages: 2, frameBytes: 100_000, compactAfterMessages: 100 };

  test('fault: a node hears of nothing until retention has passed it; its readers are told what is gone', async () => {
    const hub = await hubOf(options);
    const device = new ReadingDevice(hub, null);
    await device.next();
    const entries = [old(1, 'a'), old(2, 'b'), old(3, 'a', true), old(4, 'c')];
    await write(entries);
    await prune();
    const arrival = device.arrival();
    hub.hear({ epoch: 'epoch-1', offset: 4 });
    await arrival;
    await device.finish();
    expect(device.resets).toEqual(['position_expired']);
    expect(device.rows).toEqual(
      new Map([
        ['b', 2],
        ['c', 4],
      ]),
    );
  });

  test('forgets epochs that no good position can name, and keeps the one of what is left', async () => {
    const events = Array.from({ length: 35 }, (_, n) => old(n + 1, n === 4 ? 'a' : null));
    await write(events);
    await prune();
    const { epochs, prunedTo } = await new LogReader(database).state(channel);
    expect({ epochs, prunedTo }).toEqual({ epochs: [{ epoch: 'epoch-31', beganAt: 31 }], prunedTo: 35 });
    const device = new ReadingDevice(await hubOf(options), null);
    await device.finish();
    expect(device.rows).toEqual(new Map([['a', 5]]));
  });

  test('forgets idempotency keys as old as the log', async () => {
    await database.query(
      `insert into sync_idempotency (channel, key, message_id, content_hash, published_at)
       select $1, n::text, gen_random_uuid(), '', clock_timestamp() - n * interval '1 day' from generate_series(20, 40) n`,
      [channel],
    );
    await prune(3);
    const kept = await database.query<{ key: string }[]>('select key from sync_idempotency where channel = $1 order by 1', [
      channel,
    ]);
    expect(kept.map(({ key }) => Number(key))).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
  });

  test('a piece looks at what came of age, and not at the rest of the log', async () => {
    await write(Array.from({ length: 10_000 }, (_, n) => old(n + 1, n % 10 === 0 ? null : `song:${n % 100}`, n % 7 === 0)));
    await database.query('analyze sync_message');
    const piece = 200;
    await database.query(pruneMessages, [channel, retentionDays, piece]);
    expect((await costOf(database, pruneMessages, [channel, retentionDays, piece])).rows).toBeLessThan(4 * piece);
  });

  test('is done by one process at a time; the others leave it to that one', async () => {
    await write([old(1, null), old(2, 'a')]);
    const other = database.createQueryRunner();
    try {
      await other.startTransaction();
      await other.query(`select pg_advisory_xact_lock(hashtextextended('soleil_sync_retention', 0))`);
      await prune();
      expect(await remaining()).toEqual([1, 2]);
      await other.rollbackTransaction();
      await prune();
      expect(await remaining()).toEqual([2]);
    } finally {
      await other.release();
    }
  });
});
