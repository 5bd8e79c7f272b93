import { useEffect } from 'react';

/** Keeps the screen on while music is open, where the browser can do that: nobody has a hand free in the middle of a song. */
export function useWakeLock(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    let isOver = false;
    const take = async (): Promise<void> => {
      if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
      try {
        lock = await navigator.wakeLock.request('screen');
        if (isOver) await lock.release();
      } catch {
        // A browser that saves its battery may refuse.
      }
    };
    const looked = (): void => void take();
    looked();
    document.addEventListener('visibilitychange', looked);
    return () => {
      isOver = true;
      document.removeEventListener('visibilitychange', looked);
      void lock?.release();
    };
  }, []);
}
