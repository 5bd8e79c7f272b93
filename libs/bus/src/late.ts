const lateMs = 1_000;

/** Resolves when the work has ended, well or not, or takes too long to wait for. */
export async function settledOrLate(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, lateMs)));
  await Promise.race([work, late]).catch(() => undefined);
  clearTimeout(timer);
}
