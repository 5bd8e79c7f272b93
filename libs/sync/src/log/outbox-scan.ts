/** Ids of the outbox from `low` to `high`, both included. */
export interface IdRange {
  low: number;
  high: number;
}

/** What one look at the outbox found, and what its snapshot says of transactions. */
export interface Look {
  /** Ids of the rows taken, ascending. */
  taken: readonly number[];
  /** True: there may be more to take above the last of these. */
  isFull: boolean;
  /** Every transaction with a lower xid had ended. */
  endedBelow: number;
  /** An xid drawn after the snapshot: whoever had an xid then has a lower one. Null when nothing was taken. */
  xid: number | null;
}

/** Ids that were not there when a higher one was: of a transaction that is open yet, or of one that rolled back. */
interface Gap extends IdRange {
  /** The transaction that drew these ids has a lower xid. */
  before: number;
}

/** Scanning a gap costs an index descent, so beyond this many the nearest are joined: more dead rows, fewer descents. */
const gapsAtMost = 64;

/**
 * Where rows of the outbox may be that were not taken yet: above the highest id taken, and in the gaps below. Whoever
 * looks there, and takes the lowest ids first, takes what a look at the whole table would: late commits are never skipped
 * and keep their place. But rows that are gone and not vacuumed, which one open snapshot can keep for hours, are not
 * walked over: 200,000 of them cost 25 ms a look.
 *
 * A transaction has its xid before it draws an id (`sync_outbox.id`'s default sees to that), so one that drew an id
 * below a visible one had its xid before the snapshot that showed it. A gap is closed once a look into it had a snapshot
 * in which all those transactions have ended. The snapshot's own upper bound would not do for that: it is the last xid
 * that *ended*, and the transaction of a gap may be open with a higher one.
 *
 * A new leader knows nothing taken: everything below the first row it takes is one gap, until all transactions are over
 * that were open then.
 */
export class OutboxScan {
  private next = 0;
  private gaps: Gap[] = [];

  /** Ascending and disjoint; the last one has no end. */
  get ranges(): IdRange[] {
    return [...this.gaps.map(({ low, high }) => ({ low, high })), { low: this.next, high: Number.MAX_SAFE_INTEGER }];
  }

  /** To be told of every look at {@link ranges} whose takings were committed. */
  looked({ taken, isFull, endedBelow, xid }: Look): void {
    const last = taken.at(-1) ?? -1;
    const lookedUpTo = isFull ? last : Infinity;
    const open = this.gaps.flatMap((gap) => {
      if (gap.before > endedBelow) return gap;
      return gap.high <= lookedUpTo ? [] : { ...gap, low: Math.max(gap.low, lookedUpTo + 1) };
    });
    if (xid !== null && last >= this.next) {
      open.push({ low: this.next, high: last, before: xid });
      this.next = last + 1;
    }
    this.gaps = joined(without(open, taken));
  }
}

/** @param ids ascending */
function without(gaps: readonly Gap[], ids: readonly number[]): Gap[] {
  const left: Gap[] = [];
  let nth = 0;
  for (const { high, before, ...gap } of gaps) {
    let { low } = gap;
    while (nth < ids.length && ids[nth]! < low) nth++;
    for (; nth < ids.length && ids[nth]! <= high; nth++) {
      if (ids[nth]! > low) left.push({ low, high: ids[nth]! - 1, before });
      low = ids[nth]! + 1;
    }
    if (low <= high) left.push({ low, high, before });
  }
  return left;
}

function joined(gaps: Gap[]): Gap[] {
  const excess = gaps.length - gapsAtMost;
  if (excess <= 0) return gaps;
  const distances = gaps.slice(1).map(({ low }, nth) => ({ nth: nth + 1, distance: low - gaps[nth]!.high }));
  const close = new Set(
    distances
      .sort((a, b) => a.distance - b.distance)
      .slice(0, excess)
      .map(({ nth }) => nth),
  );
  return gaps.reduce<Gap[]>((wider, { low, high, before }, nth) => {
    const previous = wider.at(-1);
    if (previous && close.has(nth))
      wider.splice(-1, 1, { low: previous.low, high, before: Math.max(previous.before, before) });
    else wider.push({ low, high, before });
    return wider;
  }, []);
}
