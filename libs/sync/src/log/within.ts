import { setTimeout as pass } from 'node:timers/promises';

/** A process that stood still finds its timers due before it has read its sockets: it has this long to do so. */
const readingMs = 100;

/** @throws Error when there is no answer `ms` milliseconds from now, and a moment later still none */
export async function within<Answer>(ms: number, answer: Promise<Answer>): Promise<Answer> {
  const answered = new AbortController();
  const { signal } = answered;
  const late = pass(ms, undefined, { signal })
    .then(() => pass(readingMs, undefined, { signal }))
    .then(() => Promise.reject(new Error(`No answer within ${ms} ms`)));
  try {
    return await Promise.race([answer, late]);
  } finally {
    answered.abort();
    late.catch(() => undefined);
  }
}
