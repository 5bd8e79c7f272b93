import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError } from './api.js';
import { Pace } from './pace.js';

/** What was asked for. `problem` says why it cannot be told just now; what was told last stays. */
export interface Asked<Told> {
  told: Told | null;
  problem: string | null;
  /** Asks again: once a second at most, and when somebody looks at the page. The same function for ever. */
  refresh: () => void;
}

const restMs = 1_000;

/**
 * Asks, and asks again when told to, or when somebody comes back to the page.
 * @param ask the same function from one render to the next, as long as the question is the same
 * @param failure what to say of a failure that explains nothing
 */
export function useAsked<Told>(ask: () => Promise<Told>, failure: string): Asked<Told> {
  const [told, setTold] = useState<Told | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const current = useRef<Pace | null>(null);
  useEffect(() => {
    const pace = new Pace(async () => {
      if (document.visibilityState !== 'visible') return;
      try {
        const answer = await ask();
        if (pace.isOver) return;
        setTold(answer);
        setProblem(null);
      } catch (error) {
        if (!pace.isOver) setProblem(error instanceof ApiError ? error.error.message : failure);
      }
    }, rest);
    const looked = (): void => pace.ask();
    document.addEventListener('visibilitychange', looked);
    current.current = pace;
    pace.ask();
    return () => {
      pace.stop();
      document.removeEventListener('visibilitychange', looked);
    };
  }, [ask, failure]);
  const refresh = useCallback(() => current.current?.ask(), []);
  return { told, problem, refresh };
}

const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, restMs));
