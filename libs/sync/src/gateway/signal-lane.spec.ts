import type { Signalled } from '@soleil/sync-protocol';
import { SignalLane } from './signal-lane.js';

const at = (n: number, key = 'page', channel = 'band:b1'): Signalled => ({ channel, type: 'turned', key, data: n });

function slowLine(): { lane: SignalLane; sent: Signalled[]; line: { isFree: boolean } } {
  const sent: Signalled[] = [];
  const line = { isFree: true, sendSignal: (frame: Signalled) => void sent.push(frame) };
  return { lane: new SignalLane(line), sent, line };
}

test('a free line gets each signal at once', () => {
  const { lane, sent } = slowLine();
  for (const n of [1, 2, 3]) lane.send(at(n));
  expect(sent).toEqual([at(1), at(2), at(3)]);
});

test('a line that was taken gets the latest of each name, in the order of their coming', () => {
  const { lane, sent, line } = slowLine();
  line.isFree = false;
  for (const frame of [at(1), at(1, 'other'), at(2), at(1, 'page', 'band:b2'), at(3)]) lane.send(frame);
  line.isFree = true;
  lane.flush();
  expect(sent).toEqual([at(1, 'other'), at(1, 'page', 'band:b2'), at(3)]);
});

test('what waits goes before what comes, though the line is free by now', () => {
  const { lane, sent, line } = slowLine();
  line.isFree = false;
  lane.send(at(1));
  line.isFree = true;
  lane.send(at(1, 'other'));
  lane.flush();
  expect(sent).toEqual([at(1), at(1, 'other')]);
});

test('what waited for a channel that is over is never sent', () => {
  const { lane, sent, line } = slowLine();
  line.isFree = false;
  for (const frame of [at(1), at(1, 'page', 'band:b2')]) lane.send(frame);
  lane.forget('band:b1');
  line.isFree = true;
  lane.flush();
  expect(sent).toEqual([at(1, 'page', 'band:b2')]);
});

test('a device that stalls for ever costs a bounded number of signals: the newest', () => {
  const { lane, sent, line } = slowLine();
  line.isFree = false;
  for (let n = 0; n < 10_000; n++) lane.send(at(n, `key-${n}`));
  line.isFree = true;
  lane.flush();
  expect(sent).toHaveLength(256);
  expect(sent.at(-1)).toEqual(at(9_999, 'key-9999'));
});
