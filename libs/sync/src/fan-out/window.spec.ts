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
      const window = new Window(limit, () => 0);
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
        }
        const bytes = open.reduce((sum, entry) => sum + entry.bytes, 0);
        expect(window.unacknowledgedBytes).toBe(bytes);
        expect(window.isFull).toBe(bytes >= limit);
        expect(window.isBelowHalf).toBe(bytes < limit / 2);
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
