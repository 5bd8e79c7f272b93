import { useEffect, useState } from 'react';
import { ApiError } from './api.js';

/** What is asked again and again. `problem` says why it cannot be told just now; what was told last stays. */
export interface Polled<Told> {
  told: Told | null;
  problem: string | null;
  refresh: () => void;
}

/**
 * Asks every `everyMs` milliseconds while somebody looks at the page.
 * @param ask the same function from one render to the next, as long as the question is the same
 * @param failure what to say of a failure that explains nothing
 */
export function usePolled<Told>(ask: () => Promise<Told>, everyMs: number, failure: string): Polled<Told> {
  const [told, setTold] = useState<Told | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const poll = async (): Promise<void> => {
      try {
        if (document.visibilityState === 'visible') {
          const answer = await ask();
          if (isOver) return;
          setTold(answer);
          setProblem(null);
        }
      } catch (error) {
        if (isOver) return;
        setProblem(error instanceof ApiError ? error.error.message : failure);
      }
      if (!isOver) timer = setTimeout(() => void poll(), everyMs);
    };
    void poll();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [ask, everyMs, failure, asked]);
  return { told, problem, refresh: () => setAsked((before) => before + 1) };
}
