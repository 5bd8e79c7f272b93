import { ManualClock } from '../test/manual-clock.js';
import { Heartbeat } from './heartbeat.js';

const setUp = () => {
  const clock = new ManualClock();
  const seen = { probes: 0, given: 0, visible: true };
  const heartbeat = new Heartbeat(
    clock,
    { pingEveryMs: 3_000, silenceMs: 3_000 },
    {
      isVisible: () => seen.visible,
      probe: () => (seen.probes += 1),
      giveUp: () => (seen.given += 1),
    },
  );
  heartbeat.start();
  heartbeat.heard();
  return { clock, seen, heartbeat };
};

test('gives a line up 6 s after it died', () => {
  const { clock, seen } = setUp();
  clock.pass(5_999);
  expect(seen).toMatchObject({ probes: 2, given: 0 });
  clock.pass(1);
  expect(seen.given).toBe(1);
});

test('keeps a line that answers, and does not probe one that speaks by itself', () => {
  const { clock, seen, heartbeat } = setUp();
  for (let second = 0; second < 60; second++) {
    clock.pass(1_000);
    heartbeat.heard();
  }
  expect(seen).toMatchObject({ probes: 1, given: 0 });
});

test('leaves a page alone that nobody looks at', () => {
  const { clock, seen } = setUp();
  seen.visible = false;
  clock.pass(600_000);
  expect(seen).toMatchObject({ probes: 1, given: 0 });
});

test('asks again before it gives up a line after the device slept', () => {
  const { clock, seen, heartbeat } = setUp();
  clock.pass(3_000);
  clock.sleep(3_600_000);
  expect(seen).toMatchObject({ probes: 3, given: 0 });
  heartbeat.heard();
  clock.pass(3_000);
  expect(seen.given).toBe(0);
});

test('is silent once stopped', () => {
  const { clock, seen, heartbeat } = setUp();
  heartbeat.stop();
  clock.pass(60_000);
  expect(seen).toMatchObject({ probes: 1, given: 0 });
});
