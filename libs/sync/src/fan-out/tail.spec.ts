import type { Message } from '@soleil/sync-protocol';
import fc from 'fast-check';
import { Tail } from './tail.js';

const message = (offset: number): Message => ({
  offset,
  id: `m${offset}`,
  type: 'note',
  data: offset,
  at: '2026-11-23T20:00:00.000Z',
});

test('holds a limited weight, however large messages are', () => {
  const large = (offset: number): Message => ({ ...message(offset), data: 'x'.repeat(100_000) });
  const tail = new Tail(1_000);
  for (let offset = 1; offset <= 200; offset++) tail.push([large(offset)]);
  expect(tail.after(100, 100)).toBeNull();
  expect(tail.after(165, 100)!.map(({ offset }) => offset)).toEqual(Array.from({ length: 35 }, (_, n) => 166 + n));
  tail.push([{ ...message(201), data: 'x'.repeat(9_000_000) }]);
  expect(tail.after(200, 1)).toHaveLength(1);
});

const filled = fc.record({
  capacity: fc.integer({ min: 1, max: 12 }),
  /** Offset of the first message that this node saw. */
  start: fc.integer({ min: 1, max: 50 }),
  batches: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 12 }),
});

function fill({ capacity, start, batches }: { capacity: number; start: number; batches: number[] }): {
  tail: Tail;
  next: number;
} {
  const tail = new Tail(capacity);
  let next = start;
  for (const many of batches) {
    tail.push(Array.from({ length: many }, (_, index) => message(next + index)));
    next += many;
  }
  return { tail, next };
}

test('either gives exactly what follows an offset, or says that it does not reach back that far', () => {
  fc.assert(
    fc.property(filled, fc.nat({ max: 60 }), fc.integer({ min: 1, max: 20 }), (given, offset, limit) => {
      const { tail, next } = fill(given);
      const found = tail.after(offset, limit);
      if (found === null) return;
      const expected: number[] = [];
      for (let n = offset + 1; n < next && expected.length < limit; n++) expected.push(n);
      expect(found.map((one) => one.offset)).toEqual(expected);
    }),
  );
});

test('reaches back at least as many messages as its capacity, and never further than twice that and one batch', () => {
  fc.assert(
    fc.property(filled, (given) => {
      const { tail, next } = fill(given);
      const pushed = next - given.start;
      const reach = (n: number): boolean => tail.after(next - 1 - n, 1) !== null;
      if (pushed > 0) expect(reach(Math.min(given.capacity, pushed))).toBe(true);
      expect(reach(given.capacity * 2 + 1)).toBe(false);
    }),
  );
});

test('an empty tail reaches nowhere', () => {
  expect(new Tail(5).after(0, 10)).toBeNull();
});
