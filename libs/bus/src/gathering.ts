/** For each that a piece of work was made of, so long after its end more are gathered for the next one. */
const gatherMs = 1;

/** The pause after work that was made of so many. Who asked alone is followed by nobody who would be worth the wait. */
export async function gathering(many: number, longestMs: number): Promise<void> {
  if (many > 1) await new Promise((resolve) => setTimeout(resolve, Math.min(many * gatherMs, longestMs)));
}
