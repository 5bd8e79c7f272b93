import { Verdict, type LogMessage } from './evidence.js';
import { judgeDevices } from './judge-devices.js';
import { judgeLedger } from './judge-ledger.js';
import { judgePublishing } from './judge-publishing.js';
import { kinds, Tally } from './kinds.js';
import type { RecordLine } from './record.js';
import { shortages } from './shortages.js';
import { newStory, type Story } from './story.js';

const at = (offset: number, more: Partial<LogMessage> = {}): LogMessage => ({
  channel: 'system',
  offset,
  id: `id-${offset}`,
  n: offset,
  key: null,
  gone: false,
  ...more,
});
const log = [at(1), at(2, { key: 'song' }), at(3), at(4, { key: 'song' })];
const ids = ['id-1', 'id-2', 'id-3', 'id-4', 'id-5'];

const story = (more: Partial<Story>): Story => ({
  ...newStory('d1', 'device-d1', 1, 'system'),
  startedAt: 0,
  position: 4,
  rows: [['song', 3]],
  ...more,
});
const told = (...offsets: number[]): Partial<Story> => ({ offsets, ids: offsets.map((offset) => offset - 1) });

function verdictOn(...stories: Story[]): { [kind: string]: number } {
  const verdict = new Verdict();
  judgeDevices([{ ids, stories, faults: [] }], log, verdict);
  return found(verdict);
}

const found = (verdict: Verdict): { [kind: string]: number } =>
  Object.fromEntries(verdict.kinds.map(([kind, { count }]): [string, number] => [kind, count]).filter(([, count]) => count));

describe('what a device was told', () => {
  it('is clean when all is told once and in order', () => expect(verdictOn(story(told(1, 2, 3, 4)))).toEqual({}));
  it('may leave out what a later one of its key replaces', () => expect(verdictOn(story(told(1, 3, 4)))).toEqual({}));
  it('may begin with the state', () => expect(verdictOn(story({ ...told(4), startedAt: 4 }))).toEqual({}));
  it('loses an event that is left out', () => expect(verdictOn(story(told(1, 2, 4)))).toEqual({ lost: 1 }));
  it('loses the latest of a key', () => expect(verdictOn(story(told(1, 2, 3)))).toEqual({ lost: 1 }));
  it('loses what it never reached', () =>
    expect(verdictOn(story({ ...told(1, 2, 3), position: 3, rows: [['song', 1]] }))).toEqual({ lost: 1 }));
  it('owes nothing more once its store is lost', () =>
    expect(verdictOn(story({ ...told(1, 2, 3), position: 3, rows: [['song', 1]], isOver: true }))).toEqual({}));
  it('is told something twice', () => expect(verdictOn(story(told(1, 2, 2, 3, 4)))).toEqual({ twice: 1 }));
  it('is told in another order', () => expect(verdictOn(story(told(1, 3, 2, 4)))).toEqual({ disordered: 1 }));
  it('is told what nobody has', () => expect(verdictOn(story(told(1, 2, 3, 4, 5)))).toEqual({ invented: 1 }));
  it('is told another offset', () =>
    expect(verdictOn(story({ offsets: [1, 2, 3, 5], ids: [0, 1, 2, 3] }))).toEqual({ disordered: 1 }));
  it('shows an old row', () =>
    expect(verdictOn(story({ ...told(1, 2, 3, 4), rows: [['song', 1]] }))).toEqual({ wrongRows: 1 }));
});

describe('what the ledger says', () => {
  const heads = { before: { system: 4 }, now: { system: 5 } };
  const ledger = (...upTo: number[]): { [kind: string]: number } => {
    const verdict = new Verdict();
    const lines = upTo.map((offset, nth) => ({ device: `d${nth}`, channel: 'system', upTo: offset }));
    judgeLedger(lines, new Set(['d0', 'd1']), heads, verdict);
    return found(verdict);
  };

  it('is right when every device is known to be complete', () => expect(ledger(4, 5)).toEqual({}));
  it('misses a receipt', () => expect(ledger(4, 3)).toEqual({ wrongReceipts: 1 }));
  it('has a receipt of what never was', () => expect(ledger(4, 6)).toEqual({ wrongReceipts: 1 }));
  it('may know a store that was lost', () => expect(ledger(4, 5, 1)).toEqual({}));
  it('misses a device', () => expect(ledger(4)).toEqual({ wrongReceipts: 1 }));
});

describe('what publishers wrote down', () => {
  const publishing = (tx: string, ...numbers: number[]): RecordLine => ({
    op: 'publishing',
    tx,
    messages: numbers.map((n) => ({ n, channel: 'system', ...(n % 2 === 0 ? { key: 'song', version: n } : {}) })),
  });
  const committing = (tx: string): RecordLine => ({ op: 'committing', tx });
  const committed = (tx: string, ...numbers: number[]): RecordLine => ({
    op: 'committed',
    tx,
    ids: numbers.map((n) => `id-${n}`),
  });
  const both = [publishing('a', 1, 2), committing('a'), committed('a', 1, 2)];
  const rest = [publishing('b', 3, 4), committing('b'), committed('b', 3, 4)];

  function verdictOnRecords(records: RecordLine[][], messages = log): { [kind: string]: number } {
    const verdict = new Verdict();
    judgePublishing(records, messages, verdict);
    return found(verdict);
  }

  it('is clean when the log has what committed', () => expect(verdictOnRecords([both, rest])).toEqual({}));
  it('is clean when one who was killed while committing is there', () =>
    expect(verdictOnRecords([both, rest.slice(0, 2)])).toEqual({}));
  it('is clean when one who was killed while committing is not there', () =>
    expect(verdictOnRecords([both, rest.slice(0, 2)], log.slice(0, 2))).toEqual({}));
  it('finds half a transaction', () =>
    expect(verdictOnRecords([both, rest.slice(0, 2)], log.slice(0, 3))).toEqual({ lost: 1 }));
  it('finds a lost one', () => expect(verdictOnRecords([both, rest], log.slice(0, 2))).toEqual({ lost: 2 }));
  it('finds one of a publisher that was killed before it committed', () =>
    expect(verdictOnRecords([both, rest.slice(0, 1)])).toEqual({ invented: 2 }));
  it('finds one that was rolled back', () =>
    expect(verdictOnRecords([both, [rest[0]!, { op: 'rolled_back', tx: 'b' }]])).toEqual({ invented: 2 }));
  it('finds one that nobody published', () => expect(verdictOnRecords([both])).toEqual({ invented: 2 }));
  it('finds one that is there twice', () =>
    expect(verdictOnRecords([both, rest], [...log, at(5, { n: 3, id: 'id-5' })])).toEqual({ twice: 1 }));
  it('finds one that overtook an earlier one of its publisher', () => {
    const swapped = [at(1, { n: 3, id: 'id-3' }), at(2, { key: 'song' }), at(3, { n: 1, id: 'id-1' }), log[3]!];
    // Within its own transaction 1 comes after 2, and 3 comes before what had committed when it was published.
    expect(verdictOnRecords([[...both, ...rest]], swapped)).toEqual({ disordered: 2 });
  });
  it('finds changes of an entity that are not in commit order', () => {
    const swapped = [log[0]!, at(2, { n: 4, id: 'id-4', key: 'song' }), log[2]!, at(4, { n: 2, id: 'id-2', key: 'song' })];
    const alone = (n: number): RecordLine[] => [publishing(`t${n}`, n), committing(`t${n}`), committed(`t${n}`, n)];
    expect(verdictOnRecords([alone(1), alone(2), alone(3), alone(4)], swapped)).toEqual({ disordered: 1 });
  });
  it('finds a hole in the log', () =>
    expect(verdictOnRecords([both, rest], [...log, at(6, { n: null })])).toEqual({ lost: 1 }));
});

describe('what a run has come to', () => {
  const targets = { deliveries: 100, forcedReconnects: 10 };
  const shortOf = (deliveries: number, forcedReconnects: number, ...left: readonly string[]): string[] => {
    const tally = new Tally();
    for (const kind of kinds) tally.count(kind, !left.includes(kind));
    return shortages({ deliveries, forcedReconnects, tally }, targets);
  };

  it('is enough when every kind of fault has happened, too', () => expect(shortOf(100, 10)).toEqual([]));
  it('is not enough with too few deliveries or reconnects', () =>
    expect(shortOf(99, 9)).toEqual(['100 deliveries', '10 forced reconnects']));
  it.each(kinds)('is not enough without %s', (kind) => expect(shortOf(100, 10, kind)).toEqual([kind]));
});
