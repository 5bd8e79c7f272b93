import { relativeTime } from './relative-time.js';

const now = new Date(2026, 10, 23, 21, 0, 0).getTime();
const ago = (ms: number): string => relativeTime(now - ms, now);

describe('relative time', () => {
  it('is told as people tell it', () => {
    expect(ago(10_000)).toBe('just now');
    expect(ago(60_000)).toBe('1 min ago');
    expect(ago(12 * 60_000)).toBe('12 min ago');
    expect(ago(3 * 3_600_000)).toBe('3 h ago');
    expect(ago(24 * 3_600_000)).toBe('yesterday');
    expect(ago(3 * 86_400_000)).toBe('3 days ago');
    expect(ago(40 * 86_400_000)).toBe('on Oct 14, 2026');
  });

  it('does not speak of the future when clocks differ', () => {
    expect(ago(-90_000)).toBe('just now');
  });
});
