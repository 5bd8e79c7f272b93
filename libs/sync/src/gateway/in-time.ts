import { databaseUnavailable } from '../log/database-away.js';

/** Less than the ten seconds after which a client takes its connection for dead. */
const answerMs = 8_000;

/**
 * Lets no client wait in vain for what waits for a database, be it of another module, that fell silent.
 * @throws SyncError `database_unavailable` when there is no answer in time; one that comes later is nobody's any more
 */
export async function inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(databaseUnavailable(new Error(`No answer within ${answerMs} ms`))), answerMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
