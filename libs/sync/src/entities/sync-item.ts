import { Column, Entity, PrimaryColumn } from 'typeorm';

export type ItemStatus = 'waiting' | 'completed' | 'failed' | 'cancelled';

/** One file of an operation that is about many: what became of it. */
@Entity('sync_item')
export class SyncItem {
  @PrimaryColumn('uuid', { name: 'operation_id' })
  operationId!: string;

  @PrimaryColumn('text', { name: 'file_id' })
  fileId!: string;

  /** The operation that does the work. News of the same file join it, and it may have waited already. */
  @Column('uuid', { name: 'by_operation' })
  byOperation!: string;

  @Column('text')
  status!: ItemStatus;

  @Column('text', { name: 'error_code', nullable: true })
  errorCode!: string | null;

  @Column('text', { name: 'error_message', nullable: true })
  errorMessage!: string | null;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;
}
