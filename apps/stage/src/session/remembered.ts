import type { Band, User } from './api.js';

/** What a reloaded page knows before the network answers. */
export interface RememberedUser {
  user: User;
  bands: Band[];
}

const userKey = 'soleil.user';

export const rememberedUser = (): RememberedUser | null => recall<RememberedUser>(userKey);
export const rememberUser = (user: RememberedUser | null): void => remember(userKey, user);

/** Something this browser keeps from one visit to the next; null where there is nothing, or nothing readable. */
export function recall<Value>(key: string): Value | null {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null') as Value | null;
  } catch {
    return null;
  }
}

/** @param value null forgets */
export function remember(key: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing still shows everything.
  }
}
