/** One job as it was worked on, on the machine's monotonic clock: nanoseconds, comparable between processes. */
export interface Run {
  file: number;
  /** Counts up for each file. */
  n: number;
  begunAt: number;
  endedAt: number;
}

export type Body = (file: number, n: number) => Promise<void>;

/** A queue under measurement, in the process that works it. */
export interface QueueSide {
  /** Begins to work; each job calls the body. */
  work(body: Body): Promise<void>;
  /** Jobs whose end is committed. */
  readonly done: number;
  stop(): Promise<void>;
}

/** What is to be done: so many jobs on so many files. */
export interface Jobs {
  files: number;
  perFile: number;
  /** The jobs of one file one after another, in their order. */
  ordered: boolean;
}

export interface QueueKind {
  /** Makes its tables and stores the jobs, before anybody works. */
  fill(databaseUrl: string, jobs: Jobs): Promise<void>;
  /** @param concurrency jobs at once in this process */
  open(databaseUrl: string, jobs: Jobs, concurrency: number): Promise<QueueSide>;
}
