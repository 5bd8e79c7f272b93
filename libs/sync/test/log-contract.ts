import type { DataSource, QueryRunner } from 'typeorm';
import { LeaderConnection } from '../src/log/leader-connection.js';
import { leaveOffice, renewOffice, takeOffice, type Office } from '../src/log/leadership.js';
import type { Extent, LogReader, Page } from '../src/log/log-reader.js';
import { Outbox } from '../src/log/outbox.js';
import { toRow, type OutboxMessage } from '../src/log/outbox-message.js';
import { OutboxScan } from '../src/log/outbox-scan.js';
import { sequenceBatch, type BatchLimits } from '../src/log/sequence-batch.js';

/** An empty log, as whoever writes and whoever reads see it. */
export interface LogUnderTest {
  database: DataSource;
  reader: LogReader;
  /** @returns what sets the database back to how it is now */
  backup(): Promise<() => Promise<void>>;
  /** The messages up to `horizon` come of age, and retention comes. */
  prune(channel: string, horizon: number): Promise<void>;
  remove(): Promise<void>;
}

const band = 'band:b1';
const other = 'band:b2';
const leaseMs = 60_000;
const all: BatchLimits = { messages: 100, bytes: 1_000_000 };

/** What every log must do, whatever it is made of: `make` gives an empty one. */
export function logContract(make: () => Promise<LogUnderTest>): void {
  let log: LogUnderTest;
  let leader: Leader;
  const opened: { close(): Promise<void> }[] = [];

  beforeEach(async () => {
    log = await make();
    leader = await elected();
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
    await log.remove();
  });

  async function connect(): Promise<LeaderConnection> {
    const connection = await LeaderConnection.open(log.database, leaseMs);
    opened.push(connection);
    return connection;
  }

  async function elected(lease = leaseMs): Promise<Leader> {
    const connection = await connect();
    return new Leader(connection, (await takeOffice(connection, 'test', lease))!);
  }

  async function transaction(): Promise<Publication> {
    const runner = log.database.createQueryRunner();
    opened.push({ close: () => runner.release() });
    await runner.startTransaction();
    return new Publication(runner);
  }

  async function publish(...messages: Partial<OutboxMessage>[]): Promise<void> {
    const open = await transaction();
    await open.publish(...messages);
    await open.commit();
  }

  const offsetsOf = async (channel = band): Promise<[number, unknown][]> =>
    (await log.reader.page({ channel, after: 0, upTo: 1_000, limit: 1_000 })).messages.map(({ offset, data }) => [
      offset,
      data,
    ]);

  describe('what was published', () => {
    it('is numbered from 1 in each channel, without holes, in the order of the calls', async () => {
      await publish({ data: 'a' }, { data: 'b', channel: other }, { data: 'c' });
      await publish({ data: 'd' });
      expect(await leader.move()).toEqual(['a', 'c', 'd', 'b']);
      expect(await offsetsOf()).toEqual([
        [1, 'a'],
        [2, 'c'],
        [3, 'd'],
      ]);
      expect(await offsetsOf(other)).toEqual([[1, 'b']]);
    });

    it('leaves neither a message nor a hole when it is rolled back', async () => {
      const failing = await transaction();
      await failing.publish({ data: 'never' });
      await publish({ data: 'a' });
      expect(await leader.move()).toEqual(['a']);
      await failing.rollback();
      await publish({ data: 'b' });
      expect(await leader.move()).toEqual(['b']);
      expect(await offsetsOf()).toEqual([
        [1, 'a'],
        [2, 'b'],
      ]);
      // Not at once: what is open in the other databases of the server counts as well.
      while (leader.scan.ranges.length > 1) expect(await leader.move()).toEqual([]);
    });

    it('is not in the log before its transaction commits, and is not skipped when that is late', async () => {
      const late = await transaction();
      await late.publish({ data: 'late' });
      const later = await transaction();
      await later.publish({ data: 'later' });
      await publish({ data: 'a' });
      expect(await leader.move()).toEqual(['a']);
      await later.commit();
      expect(await leader.move()).toEqual(['later']);
      await late.commit();
      await publish({ data: 'b' });
      expect(await leader.move()).toEqual(['late', 'b']);
    });

    it('is moved as many messages and bytes at a time as allowed, at least one', async () => {
      await publish({ data: 'a' }, { data: 'b' }, { data: 'c'.repeat(100) }, { data: 'd' });
      expect(await leader.move({ messages: 1, bytes: 1_000 })).toEqual(['a']);
      expect(await leader.move({ messages: 9, bytes: 20 })).toEqual(['b']);
      expect(await leader.move({ messages: 9, bytes: 20 })).toEqual(['c'.repeat(100)]);
      expect(await leader.move({ messages: 9, bytes: 20 })).toEqual(['d']);
    });

    it('comes after the end of a right that commits with it or before it, whatever its place in the outbox', async () => {
      await publish({ data: 'a' }, { data: 'b' });
      await publish({ type: 'sync.right_ended', data: { userId: 'u1' } });
      expect(await leader.move({ messages: 1, bytes: 1_000 })).toEqual([{ userId: 'u1' }, 'a']);
      expect(await leader.move()).toEqual(['b']);
    });
  });

  describe('the office', () => {
    it('is not taken from a leader that lives', async () => {
      expect(await takeOffice(await connect(), 'another', leaseMs)).toBeNull();
      expect(await renewOffice(leader.connection, leader.office, leaseMs)).toBe(true);
    });

    it('is vacant at once when its holder leaves, or its connection is gone', async () => {
      await leaveOffice(leader.connection, leader.office);
      const second = await elected();
      expect(second.office.term).toBe(leader.office.term + 1);
      await second.connection.close();
      const waiting = await connect();
      let third: Office | null = null;
      while (!(third = await takeOffice(waiting, 'third', leaseMs)));
      expect(third.term).toBe(leader.office.term + 2);
      expect(third.epoch).not.toBe(second.office.epoch);
    });

    it('is lost with its lease: the successor ends the connection, and what a superseded leader does moves nothing', async () => {
      await publish({ data: 'a' });
      await leaveOffice(leader.connection, leader.office);
      const late = await elected(-1);
      const successor = await elected();
      expect(await late.tryToMove()).toBe('nothing');
      expect(await leader.tryToMove()).toBe('nothing');
      expect(await offsetsOf()).toEqual([]);
      expect(await renewOffice(leader.connection, leader.office, leaseMs)).toBe(false);
      expect(await successor.move()).toEqual(['a']);
    });

    it('is lost when the database is set back to before the last message', async () => {
      const restore = await log.backup();
      await publish({ data: 'a' });
      await leader.move();
      await restore();
      await publish({ data: 'b' });
      expect(await leader.tryToMove()).toBe('nothing');
      expect(await renewOffice(leader.connection, leader.office, leaseMs)).toBe(false);
    });

    it('is kept when nothing is missing from what the database was set back to', async () => {
      await publish({ data: 'a' });
      await leader.move();
      await (
        await log.backup()
      )();
      expect(await renewOffice(leader.connection, leader.office, leaseMs)).toBe(true);
      await publish({ data: 'b' });
      expect(await leader.move()).toEqual(['b']);
    });
  });

  describe('what is read', () => {
    const history: Partial<OutboxMessage>[] = [
      { key: 'x', data: 1 },
      { data: 2 },
      { key: 'y', data: 3 },
      { key: 'x', data: 4 },
      { key: 'z', data: 5 },
      { key: 'y', data: null },
      { data: 7 },
      { key: 'x', data: 8 },
    ];
    let epochs: string[];

    beforeEach(async () => {
      await publish(...history.slice(0, 5));
      await leader.move();
      await leaveOffice(leader.connection, leader.office);
      const successor = await elected();
      await publish(...history.slice(5));
      await successor.move();
      epochs = [leader.office.epoch, successor.office.epoch];
    });

    it('tells where a channel stands, and where each epoch began in it', async () => {
      const state = {
        head: 8,
        prunedTo: 0,
        epochs: [
          { epoch: epochs[0], beganAt: 1 },
          { epoch: epochs[1], beganAt: 6 },
        ],
      };
      expect(await log.reader.state(band)).toEqual(state);
      expect(await log.reader.opening(band)).toEqual({ state, rightsEnded: new Map() });
      expect(await log.reader.heads([band, other])).toEqual(new Map([[band, { epoch: epochs[1], offset: 8, prunedTo: 0 }]]));
      expect(await log.reader.state(other)).toEqual({ head: 0, prunedTo: 0, epochs: [] });
    });

    it('tells whose right ended last where', async () => {
      await leaveOffice(leader.connection, { ...leader.office, epoch: epochs[1]! });
      const third = await elected();
      for (const userId of ['u1', 'u2', 'u1']) await publish({ type: 'sync.right_ended', data: { userId } });
      await third.move();
      const { rightsEnded } = await log.reader.opening(band);
      expect(rightsEnded).toEqual(
        new Map([
          ['u1', 11],
          ['u2', 10],
        ]),
      );
    });

    it('tells whether a right has changed after an offset, as soon as that commits, in whichever of both places it is', async () => {
      const changed = (userId: string, after: number, channel = band): Promise<boolean> =>
        log.reader.rightHasChanged({ channel, userId, after });
      await leaveOffice(leader.connection, { ...leader.office, epoch: epochs[1]! });
      const third = await elected();
      const change = await transaction();
      await change.publish({ type: 'sync.right_ended', data: { userId: 'u1' } }, { data: { userId: 'u2' } });
      expect(await changed('u1', 0)).toBe(false);
      await change.commit();
      expect(await Promise.all([changed('u1', 99), changed('u2', 0), changed('u1', 0, other)])).toEqual([
        true,
        false,
        false,
      ]);
      await third.move();
      expect(await Promise.all([changed('u1', 8), changed('u1', 9), changed('u2', 8)])).toEqual([true, false, false]);
    });

    it('has a page after an offset, up to another, of so many messages at most', async () => {
      const page = (after: number, upTo: number, limit: number): Promise<Page> =>
        log.reader.page({ channel: band, after, upTo, limit });
      for (const { offset, id, type, key, data } of (await page(0, 8, 9)).messages) {
        expect({ type, key, data }).toEqual({ type: 'note', ...history[offset - 1] });
        expect(id).toMatch(/^[\da-f-]{36}$/);
      }
      expect(offsetsIn(await page(0, 8, 3))).toEqual([1, 2, 3]);
      expect(offsetsIn(await page(3, 8, 3))).toEqual([4, 5, 6]);
      expect(offsetsIn(await page(6, 8, 3))).toEqual([7, 8]);
      expect(offsetsIn(await page(2, 4, 9))).toEqual([3, 4]);
      expect(offsetsIn(await page(8, 8, 9))).toEqual([]);
    });

    it('has the latest of each key, of what lies between two offsets', async () => {
      const latest = async (extent: Extent, after: number, upTo: number): Promise<number[]> =>
        (await log.reader.latest({ channel: band, after, upTo, extent })).offsets;
      expect(await latest('state', 0, 8)).toEqual([5, 8]);
      expect(await latest('state', 0, 5)).toEqual([3, 4, 5]);
      expect(await latest('state', 0, 6)).toEqual([4, 5]);
      expect(await latest('changes', 0, 8)).toEqual([2, 5, 6, 7, 8]);
      expect(await latest('changes', 2, 6)).toEqual([4, 5, 6]);
      expect(await latest('changes', 6, 8)).toEqual([7, 8]);
      expect(await latest('changes', 8, 8)).toEqual([]);
    });

    it('is the state and what is young after retention, and tells how far that was pruned', async () => {
      await log.prune(band, 5);
      expect(await log.reader.page({ channel: band, after: 0, upTo: 8, limit: 9 })).toMatchObject({
        prunedTo: 2,
        messages: [3, 4, 5, 6, 7, 8].map((offset) => ({ offset })),
      });
      await log.prune(band, 6);
      expect(await log.reader.state(band)).toEqual({ head: 8, prunedTo: 6, epochs: [{ epoch: epochs[1], beganAt: 6 }] });
      expect(await log.reader.heads([band])).toEqual(new Map([[band, { epoch: epochs[1], offset: 8, prunedTo: 6 }]]));
      expect(await log.reader.latest({ channel: band, after: 0, upTo: 8, extent: 'state' })).toEqual({
        prunedTo: 6,
        offsets: [5, 8],
      });
      expect(await log.reader.latest({ channel: band, after: 0, upTo: 8, extent: 'changes' })).toEqual({
        prunedTo: 6,
        offsets: [5, 7, 8],
      });
      expect(await log.reader.at(band, [3, 6])).toEqual({ prunedTo: 6, messages: [] });
    });

    it('has the messages at given offsets, ascending', async () => {
      expect(offsetsIn(await log.reader.at(band, [8, 2, 99]))).toEqual([2, 8]);
    });
  });
}

const offsetsIn = ({ messages }: Page): number[] => messages.map(({ offset }) => offset);

/** A leader that moves when it is told to. */
class Leader {
  scan = new OutboxScan();

  constructor(
    readonly connection: LeaderConnection,
    readonly office: Office,
  ) {}

  /** @returns the data of what was moved, in the order of channel and log */
  async move(limits: BatchLimits = all): Promise<unknown[]> {
    const moved = await this.moveIfHeld(limits);
    if (!moved) throw new Error('The office was lost');
    return moved;
  }

  /** As one that lost its office: the database may say so, or have ended the connection. */
  async tryToMove(): Promise<unknown> {
    const moved = await this.moveIfHeld(all).catch(() => null);
    return moved?.length ? moved : 'nothing';
  }

  private async moveIfHeld(limits: BatchLimits): Promise<unknown[] | null> {
    const sequenced = await sequenceBatch(this.connection, this.office, this.scan.ranges, limits);
    if (!sequenced) return null;
    this.scan.looked(sequenced.look);
    const last = sequenced.batches.at(-1);
    if (last) this.office.last = { channel: last.channel, offset: last.to, id: last.messages.at(-1)!.id };
    return sequenced.batches.flatMap(({ messages }) => messages.map(({ data }) => data));
  }
}

/** A transaction that publishes. */
class Publication {
  private readonly outbox = new Outbox();

  constructor(private readonly runner: QueryRunner) {}

  async publish(...messages: Partial<OutboxMessage>[]): Promise<void> {
    const rows = messages.map((message) => toRow({ channel: band, type: 'note', data: {}, ...message }));
    await this.outbox.append(rows, this.runner);
  }

  async commit(): Promise<void> {
    await this.runner.commitTransaction();
  }

  async rollback(): Promise<void> {
    await this.runner.rollbackTransaction();
  }
}
