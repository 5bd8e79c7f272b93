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

test('rights are asked for again when the channel was founded anew while they were asked for', async () => {
  const log = new MemoryLog();
  log.append(channel, [
    { key: 'k1', gone: false },
    { key: 'k2', gone: false },
  ]);
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
