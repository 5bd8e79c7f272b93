import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { parseRoute, type Route } from './route.js';

/** How far down each page was, for when one comes back to it. */
const scrolled = new Map<string, number>();
const pagesToReturnTo: Route['page'][] = ['library', 'setlist', 'band'];
let shown = location.hash;

function subscribe(listener: () => void): () => void {
  const changed = (): void => {
    scrolled.set(shown, scrollY);
    shown = location.hash;
    listener();
  };
  addEventListener('hashchange', changed);
  return () => removeEventListener('hashchange', changed);
}

/** The page of the address. Its title gets the focus, so that a screen reader says where one is. */
export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  const route = useMemo(() => parseRoute(hash), [hash]);
  const { page } = route;
  useEffect(() => {
    scrollTo(0, pagesToReturnTo.includes(page) ? (scrolled.get(hash) ?? 0) : 0);
    document.getElementById('title')?.focus({ preventScroll: true });
  }, [hash, page]);
  return route;
}
