import type { ContentSummary } from '@soleil/sync-protocol';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** PostgreSQL's bigint arrives as text; revisions stay far below what a number holds exactly. */
const asNumber = { from: (value: string | null) => (value === null ? null : Number(value)), to: (value: number) => value };

/**
 * What Content knows of one file: its newest revision as read. The columns beside `summary` are of the summary, for
 * queries. A forgotten file's row stays with `removedAt` set, so that a reading that was under way when the file went
 * cannot bring it back.
 */
@Entity('content_file')
export class ContentFile {
  @PrimaryColumn({ name: 'file_id', type: 'text' })
  fileId!: string;

  @Column({ name: 'band_id', type: 'text' })
  bandId!: string;

  @Column({ type: 'text' })
  path!: string;

  @Column({ name: 'song_id', type: 'text', nullable: true })
  songId!: string | null;

  @Column({ type: 'text' })
  title!: string;

  @Column({ type: 'text' })
  kind!: ContentSummary['kind'];

  /** Null: the whole band. */
  @Column({ type: 'text', nullable: true })
  audience!: string | null;

  @Column({ type: 'bigint', transformer: asNumber })
  revision!: number;

  @Column({ type: 'text' })
  hash!: string;

  @Column({ type: 'boolean' })
  readable!: boolean;

  @Column({ type: 'jsonb', nullable: true })
  problem!: ContentSummary['problem'];

  @Column({ type: 'jsonb' })
  summary!: ContentSummary;

  /** The version of the parser that read it. */
  @Column({ name: 'parser_version', type: 'int' })
  parserVersion!: number;

  /** The parser version for which `content.metadata_changed` was told. */
  @Column({ name: 'reported_version', type: 'int' })
  reportedVersion!: number;

  @Column({ name: 'parsed_at', type: 'timestamptz' })
  parsedAt!: Date;

  @Column({ name: 'removed_at', type: 'timestamptz', nullable: true })
  removedAt!: Date | null;
}
