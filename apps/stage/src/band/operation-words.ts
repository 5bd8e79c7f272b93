/** One piece of sync work, as GET /sync/operations tells it. */
export interface Operation {
  id: string;
  kind: 'file' | 'band' | 'user_setup';
  status: 'pending' | 'running' | 'completed' | 'failed' | 'dead' | 'cancelled';
  bandId: string | null;
  fileId: string | null;
  mode: 'delta' | 'full' | null;
  attempts: number;
  /** ISO 8601, as are the others. */
  runAt: string;
  errorMessage: string | null;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
}

export interface OperationWords {
  title: string;
  state: string;
  tone: 'good' | 'busy' | 'warn' | 'bad' | 'quiet';
  /** What went wrong; null when nothing did. */
  problem: string | null;
}

/**
 * An operation as a bandleader would put it.
 * @param nameOf a file's name, null when it is no longer known
 * @param now milliseconds
 */
export function operationWords(
  operation: Operation,
  nameOf: (fileId: string) => string | null,
  now: number,
): OperationWords {
  const { status, attempts, errorMessage } = operation;
  const title = titleOf(operation, nameOf);
  switch (status) {
    case 'pending':
      return { title, state: 'Waiting', tone: 'quiet', problem: null };
    case 'running':
      return { title, state: 'Running', tone: 'busy', problem: null };
    case 'completed':
      return { title, state: durationOf(operation), tone: 'good', problem: null };
    case 'failed':
      return {
        title,
        state: `Attempt ${attempts} failed, again ${inTime(Date.parse(operation.runAt) - now)}`,
        tone: 'warn',
        problem: errorMessage,
      };
    case 'dead':
      return {
        title,
        state: `Gave up after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`,
        tone: 'bad',
        problem: errorMessage,
      };
    case 'cancelled':
      return { title, state: 'Replaced by a newer one', tone: 'quiet', problem: null };
  }
}

function titleOf({ kind, mode, fileId }: Operation, nameOf: (fileId: string) => string | null): string {
  switch (kind) {
    case 'band':
      return mode === 'full' ? 'Full sync' : 'Look for changes';
    case 'user_setup':
      return 'Prepare a member’s devices';
    case 'file':
      return (fileId !== null && nameOf(fileId)) || 'A file no longer in the library';
  }
}

function durationOf({ startedAt, finishedAt }: Operation): string {
  if (startedAt === null || finishedAt === null) return 'Done';
  const ms = Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt));
  return ms < 1000 ? `Done in ${Math.max(1, Math.round(ms))} ms` : `Done in ${(ms / 1000).toFixed(1)} s`;
}

function inTime(ms: number): string {
  if (ms <= 0) return 'now';
  return ms < 90_000 ? `in ${Math.ceil(ms / 1000)} s` : `in ${Math.round(ms / 60_000)} min`;
}
