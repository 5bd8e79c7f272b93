/** "Saturday, 5 December 2026" of an ISO date; null for what is none. */
export function longDate(date: string | null): string | null {
  const day = dayOf(date);
  return day === null
    ? null
    : day.toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
}

/** The day's number and the month's short name. */
export function shortDate(date: string | null): { day: string; month: string } | null {
  const found = dayOf(date);
  return found === null
    ? null
    : { day: String(found.getDate()), month: found.toLocaleDateString('en-GB', { month: 'short' }) };
}

/** At noon, so that no time zone makes it the day before. */
function dayOf(date: string | null): Date | null {
  const day = new Date(`${date?.slice(0, 10)}T12:00:00`);
  return Number.isNaN(day.getTime()) ? null : day;
}
