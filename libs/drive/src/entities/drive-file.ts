import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { FileProblem, Fingerprint } from '../provider.js';

const bigint = { to: (value: number) => value, from: Number };

/** A file of a band, present or removed. Of the present ones no two have the same path. */
@Entity('drive_file')
export class DriveFileRow {
  @PrimaryColumn('uuid', { name: 'file_id' })
  fileId!: string;

  @Column('text', { name: 'band_id' })
  bandId!: string;

  @Column('text')
  path!: string;

  @Column('bigint', { transformer: bigint })
  size!: number;

  @Column('text')
  hash!: string;

  @Column('text', { name: 'mime_type' })
  mimeType!: string;

  /** Ascends with each change of path, bytes, problem or presence, and of whether there is a newer namesake. */
  @Column('bigint', { transformer: bigint })
  revision!: number;

  @Column('timestamptz', { name: 'modified_at' })
  modifiedAt!: Date;

  @Column('text', { name: 'source_id', nullable: true })
  sourceId!: string | null;

  @Column('jsonb')
  fingerprint!: Fingerprint;

  @Column('text', { name: 'link_target', nullable: true })
  linkTarget!: string | null;

  @Column('jsonb', { nullable: true })
  problem!: FileProblem | null;

  @Column('boolean', { name: 'has_newer_namesake' })
  hasNewerNamesake!: boolean;

  @Column('timestamptz', { name: 'removed_at', nullable: true })
  removedAt!: Date | null;
}
