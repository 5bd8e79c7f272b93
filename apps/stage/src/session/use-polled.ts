import { useEffect } from 'react';
import { useAsked, type Asked } from './use-asked.js';

/** Asks every `everyMs` milliseconds while somebody looks at the page; else as {@link useAsked}. */
export function usePolled<Told>(ask: () => Promise<Told>, everyMs: number, failure: string): Asked<Told> {
  const asked = useAsked(ask, failure);
  const { refresh } = asked;
  useEffect(() => {
    const timer = setInterval(refresh, everyMs);
    return () => clearInterval(timer);
  }, [refresh, everyMs]);
  return asked;
}
