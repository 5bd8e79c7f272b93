import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Where a band's files are. Locking this row is what puts all writers of one band's change log in one order. */
@Entity('drive_folder')
export class DriveFolderRow {
  @PrimaryColumn('text', { name: 'band_id' })
  bandId!: string;

  @Column('text')
  provider!: string;

  /** As the provider checked them; for the folder provider `{ root }`. */
  @Column('jsonb')
  settings!: Record<string, unknown>;

  /** How far the source has read its place, in its own terms; written with the changes it stands for. */
  @Column('jsonb', { nullable: true })
  cursor!: Record<string, unknown> | null;

  @Column('timestamptz', { name: 'connected_at' })
  connectedAt!: Date;
}
