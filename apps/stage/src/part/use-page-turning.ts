import { useCallback, useEffect, useState, type RefObject } from 'react';

/** Which page is in view, and how to get to the next one: by button, arrow key, or the pedal that sends arrow keys. */
export function usePageTurning(
  container: RefObject<HTMLElement | null>,
  pages: number,
): { page: number; turn: (by: 1 | -1) => void } {
  const [page, setPage] = useState(1);
  const turn = useCallback(
    (by: 1 | -1) => {
      const next = container.current?.querySelector(`[data-page="${Math.min(pages, Math.max(1, page + by))}"]`);
      const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
      next?.scrollIntoView({ block: 'start', behavior: isStill ? 'auto' : 'smooth' });
    },
    [container, pages, page],
  );
  useEffect(() => {
    const seen = (): void => setPage(pageInView(container.current));
    addEventListener('scroll', seen, { passive: true });
    return () => removeEventListener('scroll', seen);
  }, [container]);
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const isElsewhere = event.target instanceof HTMLElement && event.target.closest('input, audio, [role=group]') !== null;
      if (isElsewhere || event.altKey || event.ctrlKey || event.metaKey || pages < 2) return;
      if (event.key === 'ArrowRight') turn(1);
      if (event.key === 'ArrowLeft') turn(-1);
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [turn, pages]);
  return { page: Math.min(page, Math.max(1, pages)), turn };
}

/** The last one that begins above the middle of the screen. */
function pageInView(container: HTMLElement | null): number {
  const begun = [...(container?.querySelectorAll<HTMLElement>('[data-page]') ?? [])].filter(
    (each) => each.getBoundingClientRect().top < innerHeight / 2,
  );
  return Number(begun.at(-1)?.dataset.page ?? 1);
}
