import { Column, Entity, PrimaryColumn } from 'typeorm';

export type ChangeKind = 'added' | 'changed' | 'removed';

/** One entry of the change log. Within a band, `seq` ascends in the order of the commits. */
@Entity('drive_change')
export class DriveChangeRow {
  @PrimaryColumn('bigint', { transformer: { to: (value: number) => value, from: Number } })
  seq!: number;

  @Column('uuid', { name: 'event_id' })
  eventId!: string;

  @Column('text', { name: 'band_id' })
  bandId!: string;

  @Column('uuid', { name: 'file_id' })
  fileId!: string;

  @Column('text')
  kind!: ChangeKind;

  @Column('text')
  path!: string;

  @Column('bigint', { transformer: { to: (value: number) => value, from: Number } })
  revision!: number;

  @Column('timestamptz')
  at!: Date;
}
