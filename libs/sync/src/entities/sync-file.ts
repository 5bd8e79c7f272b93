import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The manifest: what the log last said of each file. Written in the transaction that publishes it. */
@Entity('sync_file')
export class SyncFile {
  @PrimaryColumn('text', { name: 'file_id' })
  fileId!: string;

  @Column('text', { name: 'band_id' })
  bandId!: string;

  /** The channel that carries the file; null once it is removed. */
  @Column('text', { nullable: true })
  channel!: string | null;

  /** The provider's revision that was published, so that an older one never follows a newer. */
  @Column('bigint', { transformer: { to: (value: number) => value, from: Number } })
  revision!: number;

  /** SHA-256 of what was published, hex: the same again is not published again. */
  @Column('text', { name: 'state_hash' })
  stateHash!: string;

  @Column('uuid', { name: 'message_id', nullable: true })
  messageId!: string | null;

  @Column('timestamptz', { name: 'synced_at' })
  syncedAt!: Date;
}
