import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How far a band's change log has been told with a receipt, and which process tells it now. */
@Entity('drive_cursor')
export class DriveCursorRow {
  @PrimaryColumn('text', { name: 'band_id' })
  bandId!: string;

  @Column('bigint', { name: 'told_seq', transformer: { to: (value: number) => value, from: Number } })
  toldSeq!: number;

  @Column('uuid', { nullable: true })
  teller!: string | null;

  @Column('timestamptz', { name: 'leased_until', nullable: true })
  leasedUntil!: Date | null;
}
