import { jest } from '@jest/globals';
import type { Bus } from '@soleil/bus';
import type { Socket } from 'socket.io';
import { nextTurn } from '../../test/fan-out-world.js';
import { MemoryLog } from '../../test/memory-log.js';
import { Hubs } from '../fan-out/hubs.js';
import type { Signals } from '../signals/signals.js';
import type { NodeLink } from '../log/node-link.js';
import { resolveSyncOptions } from '../options.js';
import { ClientFrames } from './client-frames.js';
import type { Connection } from './connection.js';
import type { SyncRequests } from './sync-requests.js';

const channel = 'band:b1';

/** A connection whose rights are asked for, and answered when the test says so. */
class Asking {
  readonly principal = { userId: 'tina', sessionId: 's1' };
  readonly isOpen = true;
  readonly readers = new Map();
  readonly opening = new Map();
  readonly budget = { take: () => 'ok', begin: () => () => undefined };
  readonly answers: ((mayFollow: boolean) => void)[] = [];
  private followed = false;
  readonly entitlement = {
    pending: null,
    renew: () =>
      new Promise<void>((resolve) =>
        this.answers.push((mayFollow) => {
          this.followed = mayFollow;
          resolve();
        }),
      ),
  };

  mayFollow(): boolean {
    return this.followed;
  }
}

/** A device that has just subscribed, on a node whose log answers when the test says so. */
async function subscribing(log: MemoryLog) {
  const settled = async (): Promise<void> => {
    await nextTurn();
    for (; log.pending.length > 0; await nextTurn()) log.answerAll();
  };
  const options = resolveSyncOptions();
  const link = { onNews: () => undefined, onReconnected: () => undefined } as unknown as NodeLink;
  const hubs = new Hubs(log.asReader, link, options);
  const asking = new Asking();
  const replies: unknown[] = [];
  let receive: (event: string, ...args: unknown[]) => void = () => undefined;
  new ClientFrames({} as Bus, hubs, {} as Signals, {} as SyncRequests, options).attach(
    { onAny: (listener: typeof receive) => void (receive = listener) } as unknown as Socket,
    asking as unknown as Connection,
  );
  receive('subscribe', { channel }, (answer: unknown) => replies.push(answer));
  await settled();
  return { hubs, asking, replies, settled };
}

test('rights are asked for again when the channel was founded anew while they were asked for', async () => {
  const log = new MemoryLog();
  log.append(channel, [
    { key: 'k1', gone: false },
    { key: 'k2', gone: false },
  ]);
  const { hubs, asking, replies, settled } = await subscribing(log);
  // The log was set back, and what it says now may hold the end of a right that nobody here has heard of.
  log.setBack(channel, 1);
  log.append(channel, [{ key: 'k3', gone: false }]);
  (await hubs.open(channel)).hear(log.positionOf(channel));
  await settled();
  asking.answers[0]!(true);
  await settled();
  expect([asking.answers.length, replies]).toEqual([2, []]);
  asking.answers[1]!(false);
  await settled();
  expect(replies).toMatchObject([{ ok: false, error: { code: 'channel_forbidden' } }]);
});

test('who waits too long is told so, may ask again, and what comes late for the first time makes no reader', async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  try {
    const { asking, replies, settled } = await subscribing(new MemoryLog());
    jest.advanceTimersByTime(8_000);
    await settled();
    expect(replies).toMatchObject([{ ok: false, error: { code: 'database_unavailable', retryable: true } }]);
    expect(asking.opening.size).toBe(0);
    asking.answers[0]!(true);
    await settled();
    expect([replies.length, asking.readers.size]).toEqual([1, 0]);
  } finally {
    jest.useRealTimers();
  }
});
