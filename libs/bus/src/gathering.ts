/** For each that a piece of work was made of, so long after its end more are gathered for the next one. */
const gatherMs = 1;

/**
 * The pause after work that was made of so many. Who asked alone is followed by nobody who would be worth the wait.
 * @param enough ends it
 */
export async function gathering(many: number, longestMs: number, enough?: Promise<void>): Promise<void> {
  if (many <= 1) return;
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.min(many * gatherMs, longestMs))));
  await (enough ? Promise.race([over, enough]) : over);
  clearTimeout(timer);
}
