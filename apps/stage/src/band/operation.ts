/** One piece of sync work, as GET /sync/operations tells it. */
export interface Operation {
  id: string;
  kind: 'file' | 'band' | 'user_setup';
  status: 'pending' | 'running' | 'completed' | 'failed' | 'dead' | 'cancelled';
  fileId: string | null;
  mode: 'delta' | 'full' | null;
  attempts: number;
  /** How often the server that worked on it went away. */
  losses: number;
  /** ISO 8601, as are the others. */
  runAt: string;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  errorCode: string | null;
  errorMessage: string | null;
  errorRemedy: string | null;
  /** Files of a full sync, once they are known; else 0. */
  itemsTotal: number;
  itemsDone: number;
  itemsFailed: number;
}

/** One file of a full sync, as GET /sync/operations/:id/items tells it. */
export interface Item {
  fileId: string;
  status: 'waiting' | 'completed' | 'failed' | 'cancelled';
  errorCode: string | null;
  errorMessage: string | null;
}

/** How far an operation has come, as the signal `sync.progress` tells it. */
export interface Progress {
  operationId: string;
  mode: Operation['mode'];
  status: Operation['status'];
  total: number;
  done: number;
  failed: number;
}

/** What a signal's data says of progress; null for what says nothing of it. */
export function progressIn(data: unknown): Progress | null {
  const given = (data ?? {}) as Partial<Progress>;
  const isCount = (value: unknown): boolean => typeof value === 'number' && value >= 0;
  if (typeof given.operationId !== 'string' || ![given.total, given.done, given.failed].every(isCount)) return null;
  return given as Progress;
}

/** An operation as it stands by what was told last, in an answer or by a signal. A signal may be older than the answer. */
export function advanced(operation: Operation, progress: Progress | undefined): Operation {
  if (operation.status !== 'running' || progress === undefined || progress.done < operation.itemsDone) return operation;
  const { total, done, failed } = progress;
  return { ...operation, itemsTotal: total, itemsDone: done, itemsFailed: failed };
}

export const isOpen = ({ status }: Operation): boolean =>
  status === 'pending' || status === 'running' || status === 'failed';

/** What a leader may do about an operation: the calls of REST. */
export type Action = 'cancel' | 'retry' | 'discard';

export function actionsOn(operation: Operation): Action[] {
  if (operation.status === 'dead') return ['retry', 'discard'];
  return isOpen(operation) ? ['cancel'] : [];
}
