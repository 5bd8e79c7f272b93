import fc from 'fast-check';
import { OutboxScan } from './outbox-scan.js';

/** One move of the world: of the transaction with that number, or of the leader. */
type Move =
  | { move: 'write' | 'publish' | 'commit' | 'rollback'; transaction: number }
  /** `meanwhile` happens between the look's snapshot and its own xid. */
  | { move: 'look'; limit: number; meanwhile: Exclude<Move, { move: 'look' }>[] }
  | { move: 'succession' };

interface Transaction {
  xid: number;
  ids: number[];
}

/** Postgres, as far as the scan depends on it: xids and ids are drawn in order, rows show when their transaction commits. */
class World {
  /** Of committed transactions, not taken yet; ascending. */
  waiting: number[] = [];
  scan = new OutboxScan();
  private readonly open = new Map<number, Transaction>();
  private xid = 1;
  private id = 1;

  play(move: Move): void {
    if (move.move === 'look') this.look(move.limit, move.meanwhile);
    else if (move.move === 'succession') this.scan = new OutboxScan();
    else if (move.move === 'write') this.write(move.transaction);
    else if (move.move === 'publish') this.write(move.transaction).ids.push(this.id++);
    else this.end(move.transaction, move.move === 'commit');
  }

  /** @returns the ids taken, after a comparison with those that a look at the whole table would have taken */
  look(limit: number, meanwhile: readonly Move[] = []): number[] {
    const { ranges } = this.scan;
    const found = this.waiting.filter((id) => ranges.some(({ low, high }) => id >= low && id <= high));
    const taken = found.slice(0, limit);
    expect(taken).toEqual(this.waiting.slice(0, limit));
    const endedBelow = Math.min(this.xid, ...[...this.open.values()].map(({ xid }) => xid));
    for (const move of meanwhile) this.play(move);
    const xid = taken.length > 0 ? this.xid++ : null;
    this.waiting = this.waiting.filter((id) => !taken.includes(id));
    this.scan.looked({ taken, isFull: taken.length === limit, endedBelow, xid });
    return taken;
  }

  endAll(commits: boolean): void {
    for (const transaction of [...this.open.keys()]) this.end(transaction, commits);
  }

  private write(nth: number): Transaction {
    const transaction = this.open.get(nth) ?? { xid: this.xid++, ids: [] };
    this.open.set(nth, transaction);
    return transaction;
  }

  private end(nth: number, commits: boolean): void {
    if (commits) this.waiting = [...this.waiting, ...(this.open.get(nth)?.ids ?? [])].sort((a, b) => a - b);
    this.open.delete(nth);
  }
}

const transaction = fc.nat(5);
const business = fc.record({
  move: fc.constantFrom('write' as const, 'publish' as const, 'publish' as const, 'commit' as const, 'rollback' as const),
  transaction,
});
const look = fc.record({
  move: fc.constant('look' as const),
  limit: fc.integer({ min: 1, max: 5 }),
  meanwhile: fc.array(business, { maxLength: 4 }),
});
const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: business },
    { weight: 4, arbitrary: look },
    { weight: 1, arbitrary: fc.constant({ move: 'succession' as const }) },
  ),
  { maxLength: 60 },
);

it('takes what a look at the whole table would take, whatever the order of commits, rollbacks included', () => {
  fc.assert(
    fc.property(moves, fc.boolean(), (all, commits) => {
      const world = new World();
      for (const move of all) world.play(move);
      world.endAll(commits);
      while (world.look(3).length > 0);
      expect(world.waiting).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

it('looks nowhere below the highest id once all transactions below it have ended', () => {
  fc.assert(
    fc.property(moves, (all) => {
      const world = new World();
      for (const move of all) world.play(move);
      world.endAll(true);
      while (world.look(3).length > 0);
      expect(world.scan.ranges.length).toBe(1);
    }),
  );
});

it('skips no row of a transaction whose xid is above all that have ended', () => {
  const scan = new OutboxScan();
  // Transaction 11 drew id 1, transaction 10 drew id 2 and committed; 12 is the look itself.
  scan.looked({ taken: [2], isFull: false, endedBelow: 11, xid: 12 });
  scan.looked({ taken: [], isFull: false, endedBelow: 11, xid: null });
  expect(scan.ranges).toEqual([
    { low: 0, high: 1 },
    { low: 3, high: Number.MAX_SAFE_INTEGER },
  ]);
  scan.looked({ taken: [], isFull: false, endedBelow: 12, xid: null });
  expect(scan.ranges).toEqual([{ low: 3, high: Number.MAX_SAFE_INTEGER }]);
});

it('looks at a bounded number of places, however many transactions are late', () => {
  const scan = new OutboxScan();
  const everyThird = Array.from({ length: 10_000 }, (_, n) => 3 * n + 1);
  for (let n = 0; n < everyThird.length; n += 500)
    scan.looked({ taken: everyThird.slice(n, n + 500), isFull: true, endedBelow: 1, xid: 2 + n });
  const { ranges } = scan;
  expect(ranges.length).toBe(65);
  const unseen = everyThird.flatMap((id) => [id + 1, id + 2]).filter((id) => id < everyThird.at(-1)!);
  expect(unseen.filter((id) => !ranges.some(({ low, high }) => id >= low && id <= high))).toEqual([]);
});
