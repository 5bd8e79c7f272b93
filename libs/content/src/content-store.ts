import type { DriveFile } from '@soleil/bus';
import type { ContentSummary } from '@soleil/sync-protocol';
import type { DataSource, EntityManager } from 'typeorm';
import type { ContentFactName } from './content-fact.entity.js';
import { parserVersion } from './parser.js';

/** What Content remembers. Each method is one transaction, and the fact about it is written in the same one. */
export class ContentStore {
  /** @param onFact called after a commit that left a fact to tell */
  constructor(
    private readonly dataSource: DataSource,
    private readonly onFact: () => void,
  ) {}

  /**
   * Remembers how a file was read, unless a newer revision, a newer parser or a removal came first.
   * @returns whether anything changed, and so `content.updated` will be told
   */
  async save(file: DriveFile, summary: ContentSummary, operationId: string): Promise<boolean> {
    return this.change(async (manager) => {
      const saved: unknown[] = await manager.query(upsert, [
        file.fileId,
        file.bandId,
        file.path.replaceAll('\0', ''),
        summary.songId,
        summary.title,
        summary.kind,
        summary.audience,
        file.revision,
        file.hash,
        summary.readable,
        summary.problem && JSON.stringify(summary.problem),
        JSON.stringify(summary),
        parserVersion,
      ]);
      if (saved.length === 0) return 0;
      await this.addFact(manager, 'content.updated', file.bandId, file.fileId, operationId);
      return 1;
    });
  }

  /** @returns false when there was nothing to forget */
  async forget(fileId: string, operationId: string): Promise<boolean> {
    return this.change(async (manager) => {
      const [forgotten] = await manager.query<[{ bandId: string }[], number]>(
        `update content_file set removed_at = now() where file_id = $1 and removed_at is null returning band_id as "bandId"`,
        [fileId],
      );
      for (const { bandId } of forgotten) await this.addFact(manager, 'content.deleted', bandId, fileId, operationId);
      return forgotten.length;
    });
  }

  /** Leaves one `content.metadata_changed` for each file that an older parser read; once per version, whoever starts. */
  async reportOutdated(): Promise<boolean> {
    return this.change(async (manager) => {
      const facts: unknown[] = await manager.query(
        `with outdated as (
           update content_file set reported_version = $1
           where parser_version < $1 and reported_version < $1 and removed_at is null
           returning file_id, band_id
         )
         insert into content_fact (name, band_id, file_id)
         select 'content.metadata_changed', band_id, file_id from outdated
         returning seq`,
        [parserVersion],
      );
      return facts.length;
    });
  }

  private async change(work: (manager: EntityManager) => Promise<number>): Promise<boolean> {
    const changes = await this.dataSource.transaction(work);
    if (changes > 0) this.onFact();
    return changes > 0;
  }

  /** After the file's row was written: its lock is what gives the facts of one file their order. */
  private async addFact(
    manager: EntityManager,
    name: ContentFactName,
    bandId: string,
    fileId: string,
    causedBy: string,
  ): Promise<void> {
    await manager.query(`insert into content_fact (name, band_id, file_id, caused_by) values ($1, $2, $3, $4)`, [
      name,
      bandId,
      fileId,
      causedBy,
    ]);
  }
}

/** Read again without another result, a file changes nothing and is no news. */
const upsert = `
  insert into content_file as known
    (file_id, band_id, path, song_id, title, kind, audience, revision, hash, readable, problem, summary, parser_version, reported_version)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
  on conflict (file_id) do update set
    band_id = excluded.band_id, path = excluded.path, song_id = excluded.song_id, title = excluded.title, kind = excluded.kind,
    audience = excluded.audience, revision = excluded.revision, hash = excluded.hash, readable = excluded.readable,
    problem = excluded.problem, summary = excluded.summary, parser_version = excluded.parser_version,
    reported_version = excluded.reported_version, parsed_at = now(), removed_at = null
  where excluded.revision > known.revision
    or (excluded.revision = known.revision and known.removed_at is null and (
      excluded.parser_version > known.parser_version
      or (excluded.parser_version = known.parser_version and excluded.summary is distinct from known.summary)))
  returning file_id`;
