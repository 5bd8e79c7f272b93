import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The facts that Content tells; all of them are durable. */
export type ContentFactName = 'content.updated' | 'content.deleted' | 'content.metadata_changed';

/** A fact that waits to be told: written with what it is about, deleted once a listener gave its receipt. */
@Entity('content_fact')
export class ContentFactRow {
  @PrimaryColumn({ type: 'bigint', generated: 'identity', generatedIdentity: 'ALWAYS' })
  seq!: string;

  @Column({ name: 'event_id', type: 'uuid' })
  eventId!: string;

  @Column({ type: 'text' })
  name!: ContentFactName;

  @Column({ name: 'band_id', type: 'text' })
  bandId!: string;

  @Column({ name: 'file_id', type: 'text' })
  fileId!: string;

  /** The sync operation that asked for the work, where one did. */
  @Column({ name: 'caused_by', type: 'text', nullable: true })
  causedBy!: string | null;

  @Column({ type: 'timestamptz' })
  at!: Date;

  @Column({ type: 'int' })
  attempts!: number;

  /** Not told before. */
  @Column({ name: 'next_at', type: 'timestamptz' })
  nextAt!: Date;
}
