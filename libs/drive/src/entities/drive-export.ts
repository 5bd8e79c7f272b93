import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a document of Google's was exported to. Kept, because nobody promises that the next export has the same bytes. */
@Entity('drive_export')
export class DriveExportRow {
  @PrimaryColumn('text', { name: 'band_id' })
  bandId!: string;

  /** SHA-256 of the bytes, hex. */
  @PrimaryColumn('text')
  hash!: string;

  @Column('bytea', { select: false })
  bytes!: Buffer;

  @Column('timestamptz', { name: 'made_at' })
  madeAt!: Date;
}
