const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** "just now", "3 min ago", "2 h ago", "yesterday", "4 days ago", then the date. Both in milliseconds. */
export function relativeTime(then: number, now: number): string {
  const age = Math.max(0, now - then);
  if (age < 45_000) return 'just now';
  if (age < hour) return `${Math.max(1, Math.round(age / minute))} min ago`;
  if (age < 20 * hour) return `${Math.round(age / hour)} h ago`;
  const days = calendarDays(then, now);
  if (days <= 1) return 'yesterday';
  if (days < 7) return `${days} days ago`;
  return `on ${new Date(then).toLocaleDateString('en', { day: 'numeric', month: 'short', year: 'numeric' })}`;
}

/** Midnights between two moments, where this device is. */
export function calendarDays(then: number, now: number): number {
  const midnight = (time: number): number => new Date(time).setHours(0, 0, 0, 0);
  return Math.round((midnight(now) - midnight(then)) / day);
}
