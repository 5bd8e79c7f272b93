import type { MessagesFrame } from '@soleil/sync-protocol';
import { nextTurn } from '../../test/fan-out-world.js';
import { MemoryLog, type Entry } from '../../test/memory-log.js';
import { rightEnded } from '../log/control-message.js';
import type { Batch } from '../log/sequence-batch.js';
import { ChannelHub, type HubNode } from './channel-hub.js';
import type { WeighedFrame } from './frames.js';
import type { PositionLoss } from './history.js';
import { Reader, type ReaderSocket } from './reader.js';
import { Turns } from './turns.js';
import { Window } from './window.js';

const channel = 'band:a';
/** About an entity of its own, so that it is part of the state. */
const note = (key: string): Entry => ({ key, gone: false });
const quiet: HubNode = { obey: () => undefined };

/** A hub that is open on a log of `before` messages, with somebody in its room. */
async function openHub(
  before = 0,
  socketsPerTurn = 64,
  log = new MemoryLog(),
): Promise<{
  log: MemoryLog;
  hub: ChannelHub;
  sent: MessagesFrame[];
  append: (many: number) => Batch;
}> {
  let notes = 0;
  const append = (many: number): Batch =>
    log.append(
      channel,
      Array.from({ length: many }, () => note(`note-${++notes}`)),
    );
  if (before > 0) append(before);
  const sent: MessagesFrame[] = [];
  const hub = new ChannelHub(
    channel,
    log.asReader,
    { tailMessages: 10, pageMessages: 10, frameBytes: 100_000, compactAfterMessages: 100 },
    quiet,
    new Turns(socketsPerTurn),
  );
  const opening = hub.open();
  await nextTurn();
  log.answerAll();
  await opening;
  const first = {
    sentUpTo: hub.head,
    tell: ({ frame }: WeighedFrame) => {
      sent.push(frame);
      first.sentUpTo = frame.to;
    },
    stepBack: () => hub.leave(first),
  };
  hub.join(first);
  return { log, hub, sent, append };
}

async function settle(log: MemoryLog): Promise<void> {
  await nextTurn();
  while (log.pending.length > 0) {
    log.answerAll();
    await nextTurn();
  }
  // What was told last is rested from, and then what came meanwhile is told.
  await nextTurn();
}

const spans = (frames: readonly MessagesFrame[]): string[] => frames.map(({ from, to }) => `${from}..${to}`);

test('has what came while it was being opened, without another hint', async () => {
  const log = new MemoryLog();
  const hub = new ChannelHub(
    channel,
    log.asReader,
    { tailMessages: 10, pageMessages: 10, frameBytes: 100_000, compactAfterMessages: 100 },
    quiet,
    new Turns(64),
  );
  const opening = hub.open();
  hub.deliver(log.append(channel, [note('one')]));
  log.pending.pop()!.answer(false);
  await opening;
  await settle(log);
  expect(hub.head).toBe(1);
});

test('drops what lies at or below its head, so a leader that resumes late harms nothing', async () => {
  const { log, hub, sent, append } = await openHub(3);
  const batch = append(2);
  hub.deliver(batch);
  hub.deliver(batch);
  hub.deliver({ ...batch, from: 2, to: 3, messages: log.between(channel, 1, 3) });
  await settle(log);
  expect(spans(sent)).toEqual(['4..5']);
  expect(hub.head).toBe(5);
});

test('takes what is new of a batch that it has in part', async () => {
  const { log, hub, sent, append } = await openHub();
  hub.deliver(append(2));
  append(2);
  hub.deliver({ channel, epoch: 'epoch-1', from: 2, to: 4, messages: log.between(channel, 1, 4) });
  await settle(log);
  expect(spans(sent)).toEqual(['1..2', '3..4']);
});

test('reads from the log what a lost delivery has left out, before it goes on', async () => {
  const { log, hub, sent, append } = await openHub();
  append(2);
  hub.deliver(append(1));
  expect(sent).toEqual([]);
  await settle(log);
  expect(spans(sent)).toEqual(['1..3']);
});

test('sends what comes under two leaders as frames of one epoch each', async () => {
  const { log, hub, sent, append } = await openHub();
  append(2);
  log.changeLeader();
  append(1);
  hub.hear(log.positionOf(channel));
  await settle(log);
  expect(sent.map(({ epoch, from, to }) => [epoch, from, to])).toEqual([
    ['epoch-1', 1, 2],
    ['epoch-2', 3, 3],
  ]);
});

test.each(Array.from({ length: 12 }, (_, ticks) => ticks))(
  'forgets no batch that comes while what is missing was just read (%i promises later)',
  async (ticks) => {
    const { log, hub, append } = await openHub();
    append(1);
    hub.hear(log.positionOf(channel));
    await nextTurn();
    log.answerAll();
    await nextTurn();
    log.answerAll();
    for (let n = 0; n < ticks; n++) await Promise.resolve();
    append(1);
    hub.deliver(append(1));
    await settle(log);
    expect(hub.head).toBe(3);
  },
);

test('goes on at the next hint after the log could not be read', async () => {
  const { log, hub, sent, append } = await openHub();
  append(1);
  hub.hear(log.positionOf(channel));
  await nextTurn();
  log.pending.pop()!.fail();
  await settle(log);
  expect(sent).toEqual([]);
  hub.hear(log.positionOf(channel));
  await settle(log);
  expect(spans(sent)).toEqual(['1..1']);
});

test('does not call a position lost that another node, further than this one, has given', async () => {
  const { log, hub, append } = await openHub(2);
  log.changeLeader();
  append(3);
  const asked = hub.lossOf({ epoch: 'epoch-2', offset: 5 });
  await settle(log);
  expect(await asked).toBeNull();
  expect(hub.head).toBe(5);
});

test('says why a position is lost, once the log has confirmed it', async () => {
  const { log, hub } = await openHub(2);
  const asked = [
    hub.lossOf({ epoch: 'epoch-1', offset: 3 }),
    hub.lossOf({ epoch: 'elsewhere', offset: 1 }),
    hub.lossOf({ epoch: 'elsewhere', offset: 0 }),
  ];
  await settle(log);
  expect(await Promise.all(asked)).toEqual(['position_ahead', 'epoch_unknown', null]);
});

test('calls no position lost while the log cannot be read', async () => {
  const { log, hub } = await openHub(2);
  const asked = hub.lossOf({ epoch: 'epoch-1', offset: 3 });
  await nextTurn();
  log.pending.pop()!.fail();
  await expect(asked).rejects.toThrow('the database is away');
});

test('may be opened again after its log could not be read', async () => {
  const log = new MemoryLog();
  log.append(channel, [note('one')]);
  const hub = new ChannelHub(
    channel,
    log.asReader,
    { tailMessages: 1, pageMessages: 1, frameBytes: 100_000, compactAfterMessages: 1 },
    quiet,
    new Turns(64),
  );
  const failing = hub.open();
  log.pending.pop()!.fail();
  await expect(failing).rejects.toThrow();
  const opening = hub.open();
  log.answerAll();
  await opening;
  expect([hub.head, hub.epoch]).toEqual([1, 'epoch-1']);
});

/** A reader that stands at `offset`, and what it is told. */
function readerAt(
  { hub }: Pick<Awaited<ReturnType<typeof openHub>>, 'hub'>,
  offset: number | null,
  windowBytes = 1_000_000,
): { reader: Reader; frames: MessagesFrame[]; resets: PositionLoss[]; acknowledge: () => void } {
  const window = new Window(windowBytes, () => 0);
  const acknowledge = (): void => {
    window.acknowledged(channel, reader.sentUpTo);
    reader.pump();
  };
  const frames: MessagesFrame[] = [];
  const resets: PositionLoss[] = [];
  const socket: ReaderSocket = {
    window,
    isHeld: false,
    send: ({ frame }) => void frames.push(frame),
    windowFilled: () => undefined,
    pumpAll: () => reader.pump(),
    reset: (_, __, loss) => {
      frames.length = 0;
      resets.push(loss);
    },
    signal: () => undefined,
    askAnew: () => undefined,
    readFailed: (_, error) => {
      throw error;
    },
  };
  const reader = new Reader(hub, socket, offset);
  reader.pump();
  return { reader, frames, resets, acknowledge };
}

describe('a right that is known to have begun', () => {
  const begins = { id: 'begins', type: rightEnded, data: { userId: 'tina' }, at: '2026-11-27T20:00:00.000Z' };
  const number = (log: MemoryLog): Batch => log.put(channel, 'epoch-1', [begins]);

  /** @returns whether it is settled by now */
  function settling(hub: ChannelHub): { isSettled: boolean } {
    const settling = { isSettled: false };
    void hub.rights.settled('tina').then(() => (settling.isSettled = true));
    return settling;
  }

  test('is settled at once where its place is known, or where it has none', async () => {
    const { log, hub } = await openHub(3);
    hub.deliver(number(log));
    const [tina, clara] = [settling(hub), hub.rights.settled('clara')];
    await settle(log);
    await clara;
    expect(tina.isSettled).toBe(true);
  });

  test('is settled when the channel comes to its place, which this node has not heard of', async () => {
    const { log, hub, append } = await openHub(3);
    append(2);
    const batch = number(log);
    const tina = settling(hub);
    await settle(log);
    expect(tina.isSettled).toBe(false);
    hub.hear({ epoch: batch.epoch, offset: batch.to });
    await settle(log);
    expect([tina.isSettled, hub.rights.endedAt('tina')]).toEqual([true, 6]);
  });

  test('is waited for by a reader that knows where it ended, and by no other', async () => {
    const { log, hub, append } = await openHub(3);
    const { reader } = readerAt({ hub }, 3);
    await reader.rightIsSettled('tina');
    hub.deliver(number(log));
    append(1);
    const began = number(log);
    let isSettled = false;
    void reader.rightIsSettled('tina').then(() => (isSettled = true));
    await settle(log);
    expect(isSettled).toBe(false);
    hub.hear({ epoch: began.epoch, offset: began.to });
    await settle(log);
    expect(isSettled).toBe(true);
  });

  test('is settled when its place came while the log was asked', async () => {
    const { log, hub } = await openHub(3);
    const batch = number(log);
    const tina = settling(hub);
    await nextTurn();
    hub.deliver(batch);
    log.pending.shift()!.answer(false);
    await settle(log);
    expect(tina.isSettled).toBe(true);
  });

  test('is settled once a look at the log says that it never began: a backup was restored', async () => {
    const onTheirWay = [{ channel, type: rightEnded, data: { userId: 'tina' } }];
    const { log, hub } = await openHub(3, 64, new MemoryLog(() => onTheirWay));
    const tina = settling(hub);
    await settle(log);
    expect(tina.isSettled).toBe(false);
    onTheirWay.pop();
    hub.compare({ ...log.positionOf(channel), prunedTo: 0 }, hub.head);
    await settle(log);
    expect(tina.isSettled).toBe(true);
  });
});

describe('when retention has passed this node', () => {
  const changes: [string, Entry[], PositionLoss[], string[]][] = [
    ['only superseded messages', ['x', 'x', 'x'].map(note), [], ['x']],
    ['the end of a key', [{ key: 'note-1', gone: true }, note('x'), note('x')], ['position_expired'], ['x']],
    ['an event', [{ key: null, gone: false }, note('x')], ['position_expired'], ['note-1', 'x']],
  ];

  test.each(changes)('its readers are told without a hole what is left: %s went', async (_, entries, resets, keys) => {
    const opened = await openHub(1);
    const { log, hub } = opened;
    const reader = readerAt(opened, 1);
    await settle(log);
    log.append(channel, entries);
    log.prune(channel, log.headOf(channel));
    hub.hear(log.positionOf(channel));
    await settle(log);
    expect(reader.resets).toEqual(resets);
    expect(spans(reader.frames)).toEqual([`${resets.length === 0 ? 2 : 1}..${log.headOf(channel)}`]);
    expect(reader.frames[0]!.messages.map(({ key }) => key)).toEqual(keys);
  });
});

test('what retention has left out is no hole in what a node keeps in memory', async () => {
  const opened = await openHub(1);
  const { log, hub, append } = opened;
  hub.deliver(append(1));
  log.append(channel, ['x', 'x'].map(note));
  log.prune(channel, 4);
  hub.hear(log.positionOf(channel));
  await settle(log);
  const reader = readerAt(opened, 3);
  await settle(log);
  expect(reader.frames.flatMap(({ messages }) => messages.map(({ offset }) => offset))).toEqual([4]);
});

describe('when the database was set back to a backup while this node ran', () => {
  async function setBack(): Promise<
    Awaited<ReturnType<typeof openHub>> & { lost: Batch; readers: ReturnType<typeof readerAt>[] }
  > {
    const opened = await openHub(3);
    const { log, hub, append } = opened;
    const lost = append(3);
    hub.deliver(lost);
    const readers = [readerAt(opened, 3), readerAt(opened, 6)];
    await settle(log);
    log.setBack(channel, 4);
    return { ...opened, lost, readers };
  }

  const contradictions: [string, (world: Awaited<ReturnType<typeof setBack>>) => void][] = [
    ['a batch begins where this node has other messages', ({ hub, append }) => hub.deliver(append(1))],
    ['a batch continues the head under another epoch', ({ hub, append }) => void (append(2), hub.deliver(append(1)))],
    [
      'another node says that the channel stands there',
      ({ hub, log, append }) => void (append(1), hub.hear(log.positionOf(channel))),
    ],
    ['the poll finds the head gone back', ({ hub, log }) => hub.compare({ ...log.positionOf(channel), prunedTo: 0 }, 6)],
    ['a hole is to be filled', ({ hub, append }) => void (append(4), hub.deliver(append(1)))],
  ];

  test.each(contradictions)('readers beyond the backup begin anew when %s', async (_, contradict) => {
    const world = await setBack();
    const { log, hub, append, readers } = world;
    contradict(world);
    await settle(log);
    append(1);
    hub.hear(log.positionOf(channel));
    await settle(log);
    expect(readers.map(({ resets }) => resets)).toEqual([['position_ahead'], ['position_ahead']]);
    expect(hub.head).toBe(log.headOf(channel));
    for (const { frames } of readers) {
      expect(frames[0]!.from).toBe(1);
      expect(frames.flatMap(({ messages }) => messages)).toEqual(log.between(channel, 0, hub.head));
    }
  });

  test('nobody is told any more what was going round the room and is not in the log', async () => {
    const opened = await openHub(3, 1);
    const { log, hub, sent, append } = opened;
    const reader = readerAt(opened, 3);
    await settle(log);
    hub.deliver(append(1));
    // The room is told one by one: the reader's turn has not come.
    expect([spans(sent), spans(reader.frames)]).toEqual([['4..4'], []]);
    log.setBack(channel, 3);
    hub.compare({ ...log.positionOf(channel), prunedTo: 0 }, 4);
    await settle(log);
    expect([spans(reader.frames), reader.resets]).toEqual([[], []]);
  });

  test('a reader of what the backup holds, too, goes on without a reset', async () => {
    const opened = await openHub(3);
    const { log, hub, append } = opened;
    const early = readerAt(opened, 3);
    await nextTurn();
    log.setBack(channel, 3);
    hub.deliver(append(2));
    await settle(log);
    hub.hear(log.positionOf(channel));
    await settle(log);
    expect(early.resets).toEqual([]);
    expect(spans(early.frames)).toEqual(['4..5']);
  });

  test('a reader whose device waits for a head that the backup does not hold begins anew', async () => {
    const opened = await openHub(6);
    const { log, hub } = opened;
    const late = readerAt(opened, 2, 1);
    await settle(log);
    expect(spans(late.frames)).toEqual(['3..3']);
    log.setBack(channel, 5);
    hub.compare({ ...log.positionOf(channel), prunedTo: 0 }, 6);
    await settle(log);
    expect(late.resets).toEqual(['position_ahead']);
  });

  test('a reader in the middle of a step that the backup does not hold begins anew, though the backup holds its cursor', async () => {
    const opened = await openHub();
    const { log, hub } = opened;
    hub.deliver(log.append(channel, ['a', 'b', 'c', 'a', 'b'].map(note)));
    const mid = readerAt(opened, null, 1);
    await settle(log);
    expect(spans(mid.frames)).toEqual(['1..3']);
    log.setBack(channel, 3);
    hub.deliver(log.append(channel, [note('d')]));
    await settle(log);
    for (let offset = 2; offset <= 4; offset++) {
      mid.acknowledge();
      await settle(log);
    }
    expect(mid.resets).toEqual(['position_ahead']);
    expect(mid.frames.flatMap(({ messages }) => messages)).toEqual(log.between(channel, 0, 4));
  });

  test('a head that was read before the newest batch came is no contradiction', async () => {
    const opened = await openHub(3);
    const { log, hub, append } = opened;
    const reader = readerAt(opened, 3);
    const read = { ...log.positionOf(channel), prunedTo: 0 };
    hub.deliver(append(1));
    hub.compare(read, 3);
    await settle(log);
    expect(reader.resets).toEqual([]);
  });
});
