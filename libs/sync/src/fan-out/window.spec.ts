import fc from 'fast-check';
import { Window } from './window.js';

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('sent' as const),
      channel: fc.constantFrom('a', 'b'),
      bytes: fc.integer({ min: 1, max: 40 }),
    }),
    fc.record({
      kind: fc.constant('acknowledged' as const),
      channel: fc.constantFrom('a', 'b'),
      upTo: fc.integer({ min: 0, max: 30 }),
    }),
    fc.record({ kind: fc.constant('forget' as const), channel: fc.constantFrom('a', 'b') }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 1_000 }) }),
  ),
  { maxLength: 60 },
);

test('counts exactly the bytes that were sent and neither acknowledged nor given up', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 200 }), (all, limit) => {
      let now = 0;
      const window = new Window(limit, () => now);
      let open: { channel: string; to: number; bytes: number }[] = [];
      const offsets: Record<string, number> = { a: 0, b: 0 };
      for (const step of all) {
        if (step.kind === 'sent') {
          const to = ++offsets[step.channel]!;
          open.push({ channel: step.channel, to, bytes: step.bytes });
          window.sent(step.channel, to, step.bytes);
        } else if (step.kind === 'acknowledged') {
          const left = open.filter(({ channel, to }) => channel !== step.channel || to > step.upTo);
          expect(window.acknowledged(step.channel, step.upTo)).toBe(left.length < open.length);
          open = left;
        } else if (step.kind === 'forget') {
          open = open.filter(({ channel }) => channel !== step.channel);
          window.forget(step.channel);
        } else now += step.ms;
        const bytes = open.reduce((sum, entry) => sum + entry.bytes, 0);
        expect(window.unacknowledgedBytes).toBe(bytes);
        expect(window.isFull).toBe(bytes >= window.limitBytes);
        expect(window.isBelowHalf).toBe(bytes < window.limitBytes / 2);
        expect(window.limitBytes).toBeLessThanOrEqual(limit);
        expect(window.limitBytes).toBeGreaterThan(0);
      }
    }),
  );
});

test('measures the silence of a client that owes something, and of no other', () => {
  fc.assert(
    fc.property(steps, (all) => {
      let now = 0;
      let silentSince: number | null = null;
      const window = new Window(100, () => now);
      const offsets: Record<string, number> = { a: 0, b: 0 };
      for (const step of all) {
        const before = window.unacknowledgedBytes;
        if (step.kind === 'pass') now += step.ms;
        else if (step.kind === 'sent') window.sent(step.channel, ++offsets[step.channel]!, step.bytes);
        else if (step.kind === 'acknowledged') window.acknowledged(step.channel, step.upTo);
        else window.forget(step.channel);
        const after = window.unacknowledgedBytes;
        if (after === 0) silentSince = null;
        else if (after < before || silentSince === null) silentSince = now;
        expect(window.silentMs).toBe(silentSince === null ? 0 : now - silentSince);
      }
    }),
  );
});

test('lets an empty window take a frame of any size, and is full with it', () => {
  const window = new Window(1, () => 0);
  expect([window.isFull, window.isBelowHalf]).toEqual([false, true]);
  window.sent('a', 1, 1_000_000);
  expect([window.isFull, window.isBelowHalf]).toEqual([true, false]);
  window.acknowledged('a', 1);
  expect([window.isFull, window.isBelowHalf]).toEqual([false, true]);
});

describe('follows the line', () => {
  const mebibyte = 1024 * 1024;

  /** Sends the frames of a long catch-up over a line, a quarter of the window each, and acknowledges each as it arrives. */
  function catchUp(bytesPerMs: number, frames: number): { window: Window; worstWaitMs: number } {
    let now = 0;
    const window = new Window(mebibyte, () => now);
    const onTheWay: { to: number; arrivesAt: number }[] = [];
    let lineFreeAt = 0;
    let worstWaitMs = 0;
    for (let to = 1; to <= frames;) {
      while (window.isBelowHalf && to <= frames) {
        const bytes = window.limitBytes / 4;
        window.sent('a', to, bytes);
        lineFreeAt = Math.max(lineFreeAt, now) + bytes / bytesPerMs;
        onTheWay.push({ to: to++, arrivesAt: lineFreeAt });
      }
      // What a message of another channel would wait for.
      worstWaitMs = Math.max(worstWaitMs, lineFreeAt - now);
      const acknowledged = onTheWay.shift()!;
      now = Math.max(now, acknowledged.arrivesAt);
      window.acknowledged('a', acknowledged.to);
    }
    return { window, worstWaitMs };
  }

  test('opens to the full for a device that acknowledges quickly', () => {
    expect(catchUp(10_000, 2_000).window.limitBytes).toBe(mebibyte);
  });

  test('keeps what is on its way over a line of 1 Mbit/s below 400 ms, from the first frame on', () => {
    const { window, worstWaitMs } = catchUp(125, 500);
    expect(worstWaitMs).toBeLessThan(400);
    expect(window.limitBytes).toBeGreaterThanOrEqual(32 * 1024);
  });

  test('stays as it is while nobody feels it, however late acknowledgements are', () => {
    let now = 0;
    const window = new Window(mebibyte, () => now);
    const before = window.limitBytes;
    for (let to = 1; to <= 100; to++) {
      window.sent('a', to, 1_000);
      now += to % 2 ? 1_000 : 1;
      window.acknowledged('a', to);
    }
    expect(window.limitBytes).toBe(before);
  });
});
