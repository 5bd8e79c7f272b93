import { ManualClock } from '../test/manual-clock.js';
import { Acknowledger } from './acknowledger.js';

const setUp = () => {
  const clock = new ManualClock();
  const sent: [string, number][] = [];
  const acknowledger = new Acknowledger(clock, (channel, offset) => sent.push([channel, offset]));
  return { clock, sent, acknowledger };
};

test('tells the latest offset of each channel, 100 ms after the first of them', () => {
  const { clock, sent, acknowledger } = setUp();
  acknowledger.committed('band:a', 3, 10);
  clock.pass(60);
  acknowledger.committed('band:a', 5, 10);
  acknowledger.committed('band:b', 1, 10);
  clock.pass(39);
  expect(sent).toEqual([]);
  clock.pass(1);
  expect(sent).toEqual([
    ['band:a', 5],
    ['band:b', 1],
  ]);
  clock.pass(1_000);
  expect(sent).toHaveLength(2);
});

test('tells at once when enough bytes have come, and keeps the pace it is told', () => {
  const { clock, sent, acknowledger } = setUp();
  acknowledger.committed('band:a', 1, 64 * 1024);
  expect(sent).toEqual([['band:a', 1]]);
  acknowledger.setPace({ ackEveryMs: 900, ackEveryBytes: 100 });
  acknowledger.committed('band:a', 2, 60);
  acknowledger.committed('band:a', 3, 40);
  expect(sent.at(-1)).toEqual(['band:a', 3]);
  acknowledger.committed('band:a', 4, 1);
  clock.pass(899);
  expect(sent.at(-1)).toEqual(['band:a', 3]);
  clock.pass(1);
  expect(sent.at(-1)).toEqual(['band:a', 4]);
});

test('tells nothing of a subscription or a connection that is over', () => {
  const { clock, sent, acknowledger } = setUp();
  acknowledger.committed('band:a', 1, 1);
  acknowledger.committed('band:b', 1, 1);
  acknowledger.drop('band:a');
  acknowledger.flush();
  expect(sent).toEqual([['band:b', 1]]);
  acknowledger.committed('band:b', 2, 1);
  acknowledger.dropAll();
  clock.pass(1_000);
  expect(sent).toHaveLength(1);
});
