import type { Message } from '@soleil/sync-protocol';
import { Frames, type WeighedFrame } from './frames.js';
import { Room, type RoomMember } from './room.js';
import { Turns } from './turns.js';

const channel = 'band:b1';
const message = (offset: number): Message => ({
  offset,
  id: `id-${offset}`,
  type: 'note',
  data: {},
  at: '2026-11-26T19:00:00.000Z',
});

class Member implements RoomMember {
  readonly spans: string[] = [];
  readonly frames = new Set<WeighedFrame>();

  constructor(
    public sentUpTo = 0,
    private readonly room?: Room,
  ) {}

  stepBack(): void {
    this.room?.leave(this);
  }

  tell(weighed: WeighedFrame): void {
    const { frame } = weighed;
    this.frames.add(weighed);
    this.spans.push(`${frame.from}..${frame.to}`);
    this.sentUpTo = frame.to;
  }
}

function roomOf(many: number, frameBytes = 100_000): { room: Room; members: Member[] } {
  const frames = new Frames(channel);
  const room = new Room({
    frameBytes,
    frameOf: (from, to, messages) => frames.make('e1', from, to, messages),
  });
  const members = Array.from({ length: many }, () => new Member(0, room));
  for (const member of members) room.join(member);
  return { room, members };
}

const spansOf = (members: readonly Member[]): string[] => members.map(({ spans }) => spans.join(' '));
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what comes while a frame goes round is gathered for the next one', () => {
  const { room, members } = roomOf(4);
  room.add([message(1)]);
  room.tell(2);
  room.add([message(2)]);
  room.add([message(3)]);
  while (room.hasUntold) room.tell(2);
  expect(spansOf(members)).toEqual(Array(4).fill('1..1 2..3'));
  // Encoded once, a frame serves them all.
  expect(new Set(members.flatMap(({ frames }) => [...frames])).size).toBe(2);
});

test('who leaves while a frame goes round is sent nothing more', () => {
  const { room, members } = roomOf(3);
  room.add([message(1)]);
  room.tell(1);
  room.leave(members[1]!);
  while (room.hasUntold) room.tell(1);
  expect(spansOf(members)).toEqual(['1..1', '', '1..1']);
});

test('who comes beyond what is being told gets only what follows', () => {
  const { room, members } = roomOf(2);
  room.add([message(1)]);
  room.tell(1);
  room.add([message(2)]);
  const late = new Member(2);
  room.join(late);
  room.add([message(3)]);
  while (room.hasUntold) room.tell(1);
  expect(spansOf([...members, late])).toEqual(['1..1 2..3', '1..1 2..3', '3..3']);
});

test('who steps back and returns while a frame goes round gets nothing twice', () => {
  const { room, members } = roomOf(2);
  room.add([message(1)]);
  room.tell(1);
  room.leave(members[1]!);
  members[1]!.sentUpTo = 1;
  room.join(members[1]!);
  room.add([message(2)]);
  while (room.hasUntold) room.tell(1);
  expect(spansOf(members)).toEqual(['1..1 2..2', '2..2']);
});

test('nobody is told what was forgotten, nor what was told while nobody was here', () => {
  const { room, members } = roomOf(2);
  room.add([message(1)]);
  room.tell(1);
  room.forget();
  expect(room.hasUntold).toBe(false);
  for (const member of members) room.leave(member);
  room.add([message(2)]);
  expect(room.hasUntold).toBe(false);
  expect(spansOf(members)).toEqual(['1..1', '']);
});

test('when more comes than can be told, everybody steps back and nothing is kept for them', () => {
  const { room, members } = roomOf(3, 1_000);
  let [offset, bytes] = [0, 0];
  while (!room.isEmpty) {
    if (offset === 3) room.tell(1);
    room.add([message(++offset)]);
    bytes += JSON.stringify(message(offset)).length;
  }
  expect(bytes).toBeGreaterThan(16_000);
  expect(bytes).toBeLessThan(16_500);
  expect(room.hasUntold).toBe(false);
  // Who comes back has read the log up to the head.
  members[0]!.sentUpTo = offset;
  room.join(members[0]!);
  room.add([message(offset + 1)]);
  while (room.hasUntold) room.tell(1);
  expect(spansOf(members)).toEqual([`1..3 ${offset + 1}..${offset + 1}`, '', '']);
});

test('a room that keeps up keeps its members, however much comes in all', () => {
  const { room, members } = roomOf(3, 1_000);
  for (let offset = 1; offset <= 1_000; offset++) {
    room.add([message(offset)]);
    while (room.hasUntold) room.tell(2);
  }
  expect(members.map(({ sentUpTo }) => sentUpTo)).toEqual([1_000, 1_000, 1_000]);
});

test('in a quiet moment all is told at once; beyond a turn, the next turns tell it, each room once a round', async () => {
  const turns = new Turns(3);
  const [large, small] = [roomOf(5), roomOf(2)];
  const comes = ({ room }: { room: Room }, offset: number): void => {
    room.add([message(offset)]);
    turns.add(room);
  };
  const told = (): string[] => spansOf([...large.members, ...small.members]);
  comes(large, 1);
  expect(told()).toEqual(['1..1', '1..1', '1..1', '', '', '', '']);
  comes(large, 2);
  comes(small, 1);
  await nextTurn();
  expect(told()).toEqual(['1..1', '1..1', '1..1', '1..1', '1..1', '', '']);
  // The second round.
  await nextTurn();
  expect(told()).toEqual(['1..1 2..2', '1..1 2..2', '1..1 2..2', '1..1', '1..1', '', '']);
  await nextTurn();
  expect(told()).toEqual([...Array(5).fill('1..1 2..2'), '1..1', '']);
  while (!turns.isIdle) await nextTurn();
  expect(told()).toEqual([...Array(5).fill('1..1 2..2'), '1..1', '1..1']);
});

test('one that cannot be told holds up nobody', async () => {
  const turns = new Turns(3);
  const { room, members } = roomOf(5);
  members[1]!.tell = () => {
    throw new Error('no line');
  };
  room.add([message(1)]);
  turns.add(room);
  while (!turns.isIdle) await nextTurn();
  expect(spansOf(members)).toEqual(['1..1', '', '1..1', '1..1', '1..1']);
});
