import type { Bus } from '@soleil/bus';
import { limits, SyncError, systemChannel, up, type Position, type UpEvent } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io';
import type { z } from 'zod';
import type { ChannelHub } from '../fan-out/channel-hub.js';
import type { PositionLoss } from '../fan-out/history.js';
import type { Hubs } from '../fan-out/hubs.js';
import { Reader } from '../fan-out/reader.js';
import { checkSignal, type Signals } from '../signals/signals.js';
import type { ResolvedSyncOptions } from '../options.js';
import { unfit } from '../unfit.js';
import { askAccess } from './access.js';
import type { Connection } from './connection.js';
import { rateLimited } from './frame-budget.js';
import { inTime } from './in-time.js';
import type { SyncRequests } from './sync-requests.js';
import { toWireError } from './wire-error.js';

type Frame<Event extends UpEvent> = z.infer<(typeof up)[Event]['frame']>;
type Handlers = {
  [Event in UpEvent]: (
    connection: Connection,
    frame: Frame<Event>,
    reply: (answer: unknown) => void,
  ) => Promise<void> | void;
};

/** Whoever asks more than is being answered comes again after this time. */
const answerMs = 1_000;

/** Reads what devices send: one schema and one handler for each event, and an answer to each, whatever it was. */
export class ClientFrames {
  constructor(
    private readonly bus: Bus,
    private readonly hubs: Hubs,
    private readonly signals: Signals,
    private readonly requests: SyncRequests,
    private readonly options: ResolvedSyncOptions,
  ) {}

  private readonly handlers: Handlers = {
    subscribe: (connection, frame, reply) => this.subscribe(connection, frame, reply),
    unsubscribe: (connection, { channel }, reply) => {
      // A subscription still being set up is given up, too.
      if (!connection.opening.delete(channel) && !connection.readers.has(channel)) throw notSubscribed(channel);
      connection.endChannel(channel);
      reply({ ok: true });
      connection.pumpAll();
    },
    ack: (connection, { channel, offset }, reply) => {
      const reader = connection.readers.get(channel);
      if (!reader) throw notSubscribed(channel);
      if (offset > reader.sentUpTo) {
        throw new SyncError('ack_ahead', 'More was acknowledged than was sent.', { channel, sentUpTo: reader.sentUpTo });
      }
      connection.acknowledged(reader, offset);
      reply({ ok: true });
    },
    have: async (connection, { channel, items }, reply) => {
      await inTime(connection.released());
      if (!connection.mayFollow(channel)) throw forbidden(channel);
      await connection.record.holds(channel, items);
      reply({ ok: true });
    },
    sync_request: async (connection, frame, reply) => {
      const { userId } = connection.principal;
      const asked = askAccess(this.bus, userId).then((access) => this.requests.request(userId, access, frame));
      const operationId = await inTime(asked);
      reply({ ok: true, operationId });
    },
    signal: async (connection, frame, reply) => {
      checkSignal(frame);
      await inTime(connection.released());
      if (!connection.readers.has(frame.channel)) throw notSubscribed(frame.channel);
      if (frame.channel === systemChannel) throw forbidden(frame.channel);
      this.signals.send({ ...frame, from: { userId: connection.principal.userId } }, connection);
      reply({ ok: true });
    },
    ping: (connection, { t }) => connection.emit('pong', { t, serverTime: Date.now() }),
  };

  attach(socket: Socket, connection: Connection): void {
    socket.onAny((event: string, ...args: unknown[]) => {
      void this.receive(connection, event, args);
    });
  }

  private async receive(connection: Connection, event: string, args: unknown[]): Promise<void> {
    connection.lastSeenAt = new Date();
    const last = args.at(-1);
    const reply = typeof last === 'function' ? once(last as (answer: unknown) => void) : () => undefined;
    try {
      const allowed = connection.budget.take(event);
      if (allowed === null) return connection.close(rateLimited(this.options.framesPerSecond));
      if (allowed !== 'ok') throw rateLimited(this.options.framesPerSecond, allowed);
      const { frame, bytes, handle } = this.read(event, typeof last === 'function' ? args.slice(0, -1) : args);
      const answered = connection.budget.begin(bytes);
      if (!answered) throw rateLimited(this.options.framesPerSecond, { retryAfterMs: answerMs });
      try {
        await handle(connection, frame, reply);
      } finally {
        answered();
      }
    } catch (error) {
      reply({ ok: false, error: toWireError(error) });
    }
  }

  private read(event: string, args: unknown[]): { frame: never; bytes: number; handle: Handlers[UpEvent] } {
    if (!Object.hasOwn(up, event)) {
      throw new SyncError('event_unknown', 'The server knows no such event.', { known: Object.keys(up) });
    }
    const [given] = args;
    // Bytes of Socket.IO's binary attachments are no JSON; the schemas refuse them.
    const bytes = bytesOf(given);
    if (bytes > limits.upFrameBytes) {
      throw new SyncError('frame_too_large', 'The frame is too large.', { limitBytes: limits.upFrameBytes });
    }
    const parsed = up[event as UpEvent].frame.safeParse(given);
    if (!parsed.success) throw unfit('frame_invalid', 'The frame', parsed.error);
    return { frame: parsed.data as never, bytes, handle: this.handlers[event as UpEvent] };
  }

  private async subscribe(
    connection: Connection,
    { channel, position, until }: Frame<'subscribe'>,
    reply: (answer: unknown) => void,
  ): Promise<void> {
    const refuse = this.refusal(connection, channel);
    if (refuse) throw refuse;
    const ticket = Symbol(channel);
    connection.opening.set(channel, ticket);
    try {
      const positions = [position, until].filter((each) => each !== undefined);
      const { hub, loss } = await inTime(this.openEntitled(connection, channel, positions));
      // Meanwhile the device may have left or unsubscribed.
      if (!connection.isOpen) return;
      if (connection.opening.get(channel) !== ticket) throw notSubscribed(channel);
      if (!connection.mayFollow(channel)) throw forbidden(channel);
      const lost = loss ?? lossOfRight(hub, connection.principal.userId, position);
      const reader = new Reader(hub, connection, lost || !position ? null : position.offset, until?.offset);
      connection.readers.set(channel, reader);
      connection.record.subscribed(channel, reader.sentUpTo, reader.acknowledged(reader.sentUpTo));
      // Before the answer: a device whose offset happens to equal the head must not take itself for up to date.
      if (lost) connection.reset(channel, hub.epoch, lost);
      reply({ ok: true, epoch: hub.epoch, head: hub.head });
      reader.pump();
    } finally {
      if (connection.opening.get(channel) === ticket) connection.opening.delete(channel);
    }
  }

  /**
   * Opens the channel, then asks for the rights, so that a right that ends while they are asked for is seen: then they are
   * asked for again; where one begins, this waits until the channel has come to that place. In the turn in which this
   * resolves, the channel is open and the newest answer is there.
   */
  private async openEntitled(
    connection: Connection,
    channel: string,
    positions: readonly Position[],
  ): ReturnType<Hubs['openAt']> {
    const hub = await this.hubs.open(channel);
    const { founding } = hub;
    await connection.entitlement.renew();
    for (;;) {
      await hub.rights.settled(connection.principal.userId);
      const opened = await this.hubs.openAt(channel, positions);
      // Founded anew on what the log says, it has gone past ends of rights without telling of them.
      if (opened.hub !== hub || hub.founding !== founding) return this.openEntitled(connection, channel, positions);
      if (connection.entitlement.pending === null) return opened;
      await connection.entitlement.pending;
    }
  }

  private refusal(connection: Connection, channel: string): SyncError | null {
    if (connection.readers.has(channel) || connection.opening.has(channel)) {
      return new SyncError('already_subscribed', 'This connection follows the channel already.', { channel });
    }
    const limit = this.options.subscriptionsPerConnection;
    if (connection.readers.size + connection.opening.size >= limit) {
      return new SyncError('too_many_subscriptions', 'This connection follows too many channels.', { limit });
    }
    return null;
  }
}

const notSubscribed = (channel: string): SyncError =>
  new SyncError('not_subscribed', 'This connection does not follow the channel.', { channel });
const forbidden = (channel: string): SyncError =>
  new SyncError('channel_forbidden', 'You may not follow this channel.', { channel });

/** What a device was told before its user's right ended is void, though the right was granted again. */
const lossOfRight = (hub: ChannelHub, userId: string, position: Position | undefined): PositionLoss | null =>
  position && hub.rights.endedAt(userId) > position.offset ? 'rights_renewed' : null;

/** @throws SyncError `frame_invalid` for what is nested so deeply that it cannot even be weighed */
function bytesOf(given: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(given) ?? '');
  } catch {
    throw new SyncError('frame_invalid', 'The frame does not fit: it is nested too deeply.', {
      issues: [{ code: 'custom', path: [], message: 'nested too deeply' }],
    });
  }
}

/** An answer is given once; what a handler throws after it answered must not answer again. */
function once(answer: (value: unknown) => void): (value: unknown) => void {
  let given = false;
  return (value) => {
    if (!given) answer(value);
    given = true;
  };
}
