import type { Message, MessagesFrame } from '@soleil/sync-protocol';
import fc from 'fast-check';
import { FollowedChannel, type ChannelSocket } from './followed-channel.js';
import { MemoryStore } from './memory-store.js';
import { outcomeOf, type ChannelAdvance } from './store.js';

const name = 'band:b1';
const keys = ['file:1', 'file:2', 'file:3', null];

const anyLog = fc
  .array(fc.record({ key: fc.constantFrom(...keys), gone: fc.boolean() }), { minLength: 1, maxLength: 25 })
  .map((entries) =>
    entries.map(({ key, gone }, index): Message => ({
      offset: index + 1,
      id: `m${index + 1}`,
      type: 'note',
      ...(key === null ? {} : { key }),
      data: gone ? null : index + 1,
      at: '2026-11-23T20:00:00.000Z',
    })),
  );

/** What happens on the line, in one step. Numbers are scaled to what the log and the position allow. */
const anyAct = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('send'),
      length: fc.integer({ min: 1, max: 6 }),
      back: fc.integer({ min: 0, max: 4 }),
      more: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant('repeat'), from: fc.nat(30), length: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('skip'), length: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('cut') }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('rest') }) },
);

type Act = { act: string; length?: number; back?: number; from?: number; more?: boolean };

/** A store that takes its time. */
class SlowStore extends MemoryStore {
  override async apply(channel: string, advance: ChannelAdvance): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    return super.apply(channel, advance);
  }
}

/** A line to a server with this log, whose cursor the acts move about. */
class Line {
  cursor = 0;
  subscribed = false;
  acked = 0;
  readonly seen: Message[] = [];
  readonly states: { offset: number; rows: Record<string, unknown> }[] = [];
  readonly store = new SlowStore();
  readonly channel: FollowedChannel;
  #socket: ChannelSocket;

  constructor(readonly log: readonly Message[]) {
    this.channel = new FollowedChannel(name, {
      store: this.store,
      retryLater: (_error, call) => call(),
      committed: (_channel, offset) => (this.acked = offset),
      subscriptionOver: () => undefined,
      message: (_channel, message) => this.seen.push(message),
      changed: () => this.#note(),
      failed: (error) => {
        if (error.code !== 'frame_unreadable') throw new Error(error.message);
        this.#reconnect();
      },
    });
    this.#socket = this.#connect();
    this.channel.attach(this.#socket);
    this.channel.follow();
  }

  #note(): void {
    const { position, rows, state } = this.channel.snapshot;
    this.states.push({
      offset: position?.offset ?? 0,
      rows: Object.fromEntries([...rows].map(([key, row]) => [key, row.data])),
    });
    if (state === 'live') expect(position?.offset).toBeGreaterThanOrEqual(this.log.length);
  }

  #connect(): ChannelSocket {
    this.subscribed = false;
    const socket = {
      ask: async (event: string, frame: { position?: { offset: number } }, answered?: (answer: object) => void) => {
        if (socket !== this.#socket) throw new Error('the line was cut');
        if (event === 'unsubscribe') {
          this.subscribed = false;
          return { ok: true };
        }
        this.subscribed = true;
        this.cursor = frame.position?.offset ?? 0;
        const answer = { ok: true, epoch: 'e', head: this.log.length };
        answered?.(answer);
        return answer;
      },
    };
    this.#socket = socket as ChannelSocket;
    return this.#socket;
  }

  #reconnect(): void {
    this.channel.detach();
    this.channel.attach(this.#connect());
  }

  async perform({ act, length = 0, back = 0, from = 0, more = false }: Act): Promise<void> {
    if (act === 'rest') await this.channel.idle();
    else if (act === 'cut') {
      this.#reconnect();
    } else if (!this.subscribed) await this.channel.idle();
    else if (act === 'repeat') this.#send(Math.min(from, this.cursor) || 1, Math.min(from + length, this.cursor));
    else if (act === 'skip') {
      this.#send(this.cursor + 2, this.cursor + 1 + length);
    } else {
      const to = Math.min(this.cursor + length, this.log.length);
      this.#send(Math.max(1, this.cursor + 1 - back), to, more && to < this.log.length);
      this.cursor = to;
    }
  }

  async finish(): Promise<void> {
    // A gap found late starts the channel over; then the rest is sent again.
    while (this.channel.snapshot.state !== 'live') {
      await this.channel.idle();
      if (this.subscribed) await this.perform({ act: 'send', length: this.log.length });
      await this.channel.idle();
    }
  }

  #send(from: number, to: number, more = false): void {
    if (to < from || to > this.log.length) return;
    const frame: MessagesFrame = {
      channel: name,
      epoch: 'e',
      from,
      to,
      messages: this.log.slice(from - 1, to),
      ...(more ? { more: true } : {}),
    };
    this.channel.receive(frame, 1);
  }
}

const rowsAt = (log: readonly Message[], offset: number) =>
  Object.fromEntries(outcomeOf(log.slice(0, offset)).upserts.map((row) => [row.key, row.data]));

test('whatever happens on the line, rows are those of the log and every message is told once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(anyLog, fc.array(anyAct, { maxLength: 25 }), async (log, acts) => {
      const line = new Line(log);
      await line.channel.idle();
      for (const act of acts) await line.perform(act);
      await line.finish();
      expect(line.seen).toEqual(log);
      for (const { offset, rows } of line.states) expect(rows).toEqual(rowsAt(log, offset));
      const stored = await line.store.load(name);
      expect(stored).toMatchObject({ position: { epoch: 'e', offset: log.length }, midStep: false });
      expect(Object.fromEntries([...stored!.rows].map(([key, row]) => [key, row.data]))).toEqual(rowsAt(log, log.length));
    }),
    { numRuns: 300 },
  );
});
