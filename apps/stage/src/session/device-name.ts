/** What people call this kind of device; undefined where the browser does not tell. */
export function deviceName({
  userAgent,
  maxTouchPoints,
}: Pick<Navigator, 'userAgent' | 'maxTouchPoints'>): string | undefined {
  const found = Object.keys(names).find((part) => userAgent.includes(part));
  if (found === undefined) return undefined;
  // An iPad says that it is a Mac, but it is one with a touch screen.
  if (found === 'Macintosh' && maxTouchPoints > 1) return 'iPad';
  return found === 'Android' && !userAgent.includes('Mobile') ? 'Android tablet' : names[found];
}

/** In this order: an Android device also says that it is a Linux one. */
const names: Record<string, string> = {
  iPhone: 'iPhone',
  iPad: 'iPad',
  Macintosh: 'Mac',
  Android: 'Android phone',
  Windows: 'Windows computer',
  CrOS: 'Chromebook',
  Linux: 'Linux computer',
};
