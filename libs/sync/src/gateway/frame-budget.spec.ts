import { FrameBudget } from './frame-budget.js';

function budget(perSecond: number): {
  take: (event?: string) => ReturnType<FrameBudget['take']>;
  pass: (ms: number) => void;
  begin: FrameBudget['begin'];
} {
  let now = 0;
  const frames = new FrameBudget(perSecond, () => now);
  return {
    take: (event = 'signal') => frames.take(event),
    pass: (ms) => (now += ms),
    begin: (bytes) => frames.begin(bytes),
  };
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

test('what waits for its answer is bounded in bytes, and there is room again when it is answered', () => {
  const { begin } = budget(10);
  const answered = Array.from({ length: 4 }, () => begin(64 * 1024));
  expect(answered.every((each) => each !== null)).toBe(true);
  expect(begin(1)).toBeNull();
  answered[0]!();
  expect(begin(64 * 1024)).not.toBeNull();
});

test('acknowledgements cost a tenth', () => {
  const { take } = budget(10);
  for (let n = 0; n < 200; n++) expect(take('ack')).toBe('ok');
  expect(take('ack')).not.toBe('ok');
});
