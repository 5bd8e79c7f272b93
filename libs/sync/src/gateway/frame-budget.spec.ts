import { FrameBudget } from './frame-budget.js';

function budget(perSecond: number): {
  take: (event?: string) => ReturnType<FrameBudget['take']>;
  pass: (ms: number) => void;
} {
  let now = 0;
  const frames = new FrameBudget(perSecond, () => now);
  return { take: (event = 'signal') => frames.take(event), pass: (ms) => (now += ms) };
}

test('a steady stream at the rate is never refused, nor a burst of two seconds’ worth', () => {
  const { take, pass } = budget(10);
  for (let n = 0; n < 20; n++) expect(take()).toBe('ok');
  for (let n = 0; n < 100; n++) {
    pass(100);
    expect(take()).toBe('ok');
  }
});

test('what is beyond is refused, and who waits as told gets through', () => {
  const { take, pass } = budget(10);
  for (let n = 0; n < 20; n++) take();
  expect(take()).toEqual({ retryAfterMs: 100 });
  expect(take()).toEqual({ retryAfterMs: 200 });
  pass(300);
  expect(take()).toBe('ok');
});

test('who does not wait is sent away in the end', () => {
  const { take } = budget(10);
  for (let n = 0; n < 120; n++) expect(take()).not.toBeNull();
  expect(take()).toBeNull();
});

test('acknowledgements cost a tenth', () => {
  const { take } = budget(10);
  for (let n = 0; n < 200; n++) expect(take('ack')).toBe('ok');
  expect(take('ack')).not.toBe('ok');
});
