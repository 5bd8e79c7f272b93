import type { Signalled } from '@soleil/sync-protocol';
import { weigh } from './weighed-signal.js';
import { SignalLane } from './signal-lane.js';

const at = (n: number, key = 'page', channel = 'band:b1'): Signalled => ({ channel, type: 'turned', key, data: n });

function slowLine(): { lane: SignalLane; sent: Signalled[]; line: { isFree: boolean } } {
  const sent: Signalled[] = [];
  const line = { isFree: true, sendSignal: (frame: Signalled) => void sent.push(frame) };
  return { lane: new SignalLane(line, 64 * 1024), sent, line };
}

test('a free line gets each signal at once', () => {
  const { lane, sent } = slowLine();
  for (const n of [1, 2, 3]) lane.send(weigh(at(n)));
  expect(sent).toEqual([at(1), at(2), at(3)]);
});

test('a line that was taken gets the latest of each name, in the order of their coming', () => {
  const { lane, sent, line } = slowLine();
  line.isFree = false;
  for (const frame of [at(1), at(1, 'other'), at(2), at(1, 'page', 'band:b2'), at(3)]) lane.send(weigh(frame));
  line.isFree = true;
  lane.flush();
  expect(sent).toEqual([at(1, 'other'), at(1, 'page', 'band:b2'), at(3)]);
});

test('what waits goes before what comes, though the line is free by now', () => {
  const { lane, sent, line } = slowLine();
  line.isFree = false;
  lane.send(weigh(at(1)));
  line.isFree = true;
  lane.send(weigh(at(1, 'other')));
  lane.flush();
  expect(sent).toEqual([at(1), at(1, 'other')]);
});

test('what waited for a channel that is over is never sent', () => {
  const { lane, sent, line } = slowLine();
  line.isFree = false;
  for (const frame of [at(1), at(1, 'page', 'band:b2')]) lane.send(weigh(frame));
  lane.forget('band:b1');
  line.isFree = true;
  lane.flush();
  expect(sent).toEqual([at(1, 'page', 'band:b2')]);
});

test('a device that stalls for ever costs so many bytes and no more, whatever it is told: the newest', () => {
  const { lane, sent, line } = slowLine();
  line.isFree = false;
  for (let n = 0; n < 10_000; n++) lane.send(weigh({ ...at(n, `key-${n}`), data: `${n} ${'x'.repeat(n % 4_000)}` }));
  line.isFree = true;
  lane.flush();
  expect(JSON.stringify(sent).length).toBeLessThan(64 * 1024);
  expect(sent.length).toBeGreaterThan(10);
  expect(sent.at(-1)).toMatchObject({ key: 'key-9999' });
});

test('a signal is kept though it alone is more than may wait', () => {
  const sent: Signalled[] = [];
  const line = { isFree: false, sendSignal: (frame: Signalled) => void sent.push(frame) };
  const lane = new SignalLane(line, 100);
  for (const n of [1, 2]) lane.send(weigh(at(n, `key-${n}`)));
  line.isFree = true;
  lane.flush();
  expect(sent).toEqual([at(2, 'key-2')]);
});
