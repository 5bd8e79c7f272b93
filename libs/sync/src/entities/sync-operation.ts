import { Column, Entity, PrimaryColumn } from 'typeorm';

export const operationStatuses = ['pending', 'running', 'completed', 'failed', 'dead', 'cancelled'] as const;
export type OperationStatus = (typeof operationStatuses)[number];

/** Lower runs first. */
export const priorities = { critical: 0, high: 1, normal: 2, low: 3 } as const;
export type Priority = keyof typeof priorities;

/** `file`: bring one file's present state to its channel. `band`: look a whole band over. `user_setup`: somebody signed in. */
export const operationKinds = ['file', 'band', 'user_setup'] as const;
export type OperationKind = (typeof operationKinds)[number];

/**
 * One piece of sync work: the record of it and its place in the queue are this one row.
 *
 *     pending ──claimed──▶ running ──▶ completed
 *                             ├──────▶ failed ──at run_at──▶ running   (an error, or its worker was lost)
 *                             ├──────▶ dead ──tried again by hand──▶ pending   (the last attempt, or lost too often)
 *                             └──────▶ cancelled   (by hand, or a newer one for the same file waits already)
 *
 * One that is about many files finds them, which is its own work, and then runs on without a worker, until the last of its
 * items ({@link SyncItem}) has ended.
 *
 * Two unique indexes keep what code alone could not promise: of one `ordering_key` a worker holds at most one operation, and
 * at most one waits (`pending` or `failed`); news about a file that waits already joins the waiting operation.
 */
@Entity('sync_operation')
export class SyncOperation {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  kind!: OperationKind;

  @Column('text')
  status!: OperationStatus;

  @Column('smallint')
  priority!: number;

  /** Operations with the same key run one after another. */
  @Column('text', { name: 'ordering_key' })
  orderingKey!: string;

  @Column('text', { name: 'band_id', nullable: true })
  bandId!: string | null;

  @Column('text', { name: 'file_id', nullable: true })
  fileId!: string | null;

  @Column('text', { name: 'user_id', nullable: true })
  userId!: string | null;

  /** For a band: `delta` looks for changes, `full` checks every file. */
  @Column('text', { nullable: true })
  mode!: 'delta' | 'full' | null;

  /** What caused it: a fact's name, `request`, `interval`. */
  @Column('text')
  cause!: string;

  /** The operation that enqueued this one; null as soon as anything else waits for it, too. */
  @Column('uuid', { name: 'parent_id', nullable: true })
  parentId!: string | null;

  /** Claims that ended with an error of its own, and the one that it is in. */
  @Column('integer')
  attempts!: number;

  /** Claims that ended with their process, since it came further than before. */
  @Column('integer')
  losses!: number;

  @Column('timestamptz', { name: 'run_at' })
  runAt!: Date;

  @Column('text', { nullable: true })
  node!: string | null;

  /** The process that claimed it last, by the number of its {@link NodeLink}. */
  @Column('integer', { nullable: true })
  worker!: number | null;

  /** Of the claim that runs it: every write of the worker is bound to it, so one that lost its lease changes nothing. */
  @Column('uuid', { name: 'lease_token', nullable: true })
  leaseToken!: string | null;

  @Column('timestamptz', { name: 'lease_until', nullable: true })
  leaseUntil!: Date | null;

  @Column('text', { name: 'error_code', nullable: true })
  errorCode!: string | null;

  @Column('text', { name: 'error_message', nullable: true })
  errorMessage!: string | null;

  /** What a person may do about it. */
  @Column('text', { name: 'error_remedy', nullable: true })
  errorRemedy!: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'started_at', nullable: true })
  startedAt!: Date | null;

  /** The questions were answered. From here on it is the effect that takes its time. */
  @Column('timestamptz', { name: 'prepared_at', nullable: true })
  preparedAt!: Date | null;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;

  /** How many items it has, once it has found them; 0 for an operation without. */
  @Column('integer', { name: 'items_total' })
  itemsTotal!: number;

  /** Of them, those that have ended, … */
  @Column('integer', { name: 'items_done' })
  itemsDone!: number;

  /** … and of these, those that did not succeed. */
  @Column('integer', { name: 'items_failed' })
  itemsFailed!: number;
}
