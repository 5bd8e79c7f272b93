/** Milliseconds, for spans of time: a clock that is set does not move it. */
export const monotonicMs = (): number => performance.now();
