/** An operation of SyncEngine started or completed. */
export interface OperationFact {
  operationId: string;
  kind: string;
  bandId: string | null;
  fileId: string | null;
  at: string;
}

export interface ProgressFact extends OperationFact {
  done: number;
  total: number;
}

export interface OperationFailedFact extends OperationFact {
  code: string;
  message: string;
  /** False once the operation is dead and waits for an admin. */
  willRetry: boolean;
}

/** A file's new state is committed to the outbox, and so will reach every entitled device. */
export interface FileUpdatedFact {
  bandId: string;
  fileId: string;
  channel: string;
  messageId: string;
  at: string;
}
