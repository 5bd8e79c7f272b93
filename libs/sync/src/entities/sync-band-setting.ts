import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Of several files with one name in one folder, which some drives allow. */
export type SameName = 'all' | 'newest';

/** How a band wants to be synchronised. A band without a row, and a column of null, has the default. */
@Entity('sync_band_setting')
export class SyncBandSetting {
  @PrimaryColumn('text', { name: 'band_id' })
  bandId!: string;

  @Column('integer', { name: 'interval_seconds', nullable: true })
  intervalSeconds!: number | null;

  @Column('text', { name: 'file_types', array: true, nullable: true })
  fileTypes!: string[] | null;

  @Column('bigint', {
    name: 'largest_bytes',
    nullable: true,
    transformer: {
      to: (value: number | null) => value,
      from: (value: string | null) => (value === null ? null : Number(value)),
    },
  })
  largestBytes!: number | null;

  @Column('text', { name: 'same_name', nullable: true })
  sameName!: SameName | null;

  @Column('integer', { name: 'operations_per_minute', nullable: true })
  operationsPerMinute!: number | null;
}
