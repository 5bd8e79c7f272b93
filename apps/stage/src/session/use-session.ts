import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Observable } from './observable.js';
import type { Session } from './session.js';
import type { Stand } from './stand.js';

export const SessionContext = createContext<Session | null>(null);
export const StandContext = createContext<Stand | null>(null);

/** @throws Error outside the page */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('useSession needs a <SessionContext> above it.');
  return session;
}

/** The signed-in user's stand. @throws Error where nobody is signed in */
export function useStand(): Stand {
  const stand = useContext(StandContext);
  if (stand === null) throw new Error('useStand needs a <StandContext> above it.');
  return stand;
}

/** The value, now and after every change. */
export function useObservable<Value>(observable: Observable<Value>): Value {
  const snapshot = (): Value => observable.value;
  return useSyncExternalStore(observable.subscribe, snapshot, snapshot);
}
