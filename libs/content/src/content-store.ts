import { together, type Ask, type DriveFile } from '@soleil/bus';
import type { ContentSummary } from '@soleil/sync-protocol';
import type { DataSource } from 'typeorm';
import { parserVersion } from './parser.js';

interface Reading {
  file: DriveFile;
  summary: ContentSummary;
  operationId: string;
}

type Removal = Ask<'content.forget_requested'>;

/** Files in one statement. */
const mostAtOnce = 200;

/**
 * What Content remembers. What is asked at the same time shares a statement, which also writes the facts about it: they are
 * committed with it or not at all.
 */
export class ContentStore {
  private readonly finding = together((files: readonly DriveFile[]) => this.findAll(files), { atMost: mostAtOnce });
  private readonly saving = together((readings: readonly Reading[]) => this.saveAll(readings), { atMost: mostAtOnce });
  private readonly forgetting = together((all: readonly Removal[]) => this.forgetAll(all), { atMost: mostAtOnce });

  /** @param onFact called after a commit that left a fact to tell */
  constructor(
    private readonly dataSource: DataSource,
    private readonly onFact: () => void,
  ) {}

  /**
   * How this revision of a file was read, where reading it again could give nothing else: by this parser, and without a problem, some of
   * which may pass.
   */
  find(file: DriveFile): Promise<ContentSummary | null> {
    return this.finding(file);
  }

  /**
   * Remembers how a file was read, unless a newer revision, a newer parser or a removal came first.
   * @returns whether anything changed, and so `content.updated` will be told
   */
  save(file: DriveFile, summary: ContentSummary, operationId: string): Promise<boolean> {
    return this.saving({ file, summary, operationId });
  }

  /** @returns false when there was nothing to forget */
  forget(removal: Removal): Promise<boolean> {
    return this.forgetting(removal);
  }

  /** Leaves one `content.metadata_changed` for each file that an older parser read; once per version, whoever starts. */
  async reportOutdated(): Promise<boolean> {
    const facts: unknown[] = await this.dataSource.query(reportOutdated, [parserVersion]);
    if (facts.length > 0) this.onFact();
    return facts.length > 0;
  }

  private async findAll(files: readonly DriveFile[]): Promise<(ContentSummary | null)[]> {
    const rows = await this.dataSource.query<{ fileId: string; revision: number; summary: ContentSummary }[]>(find, [
      files.map(({ fileId }) => fileId),
      parserVersion,
    ]);
    const known = new Map(rows.map((row) => [row.fileId, row]));
    return files.map(({ fileId, revision }) => {
      const row = known.get(fileId);
      return row?.revision === revision ? row.summary : null;
    });
  }

  private saveAll(readings: readonly Reading[]): Promise<boolean[]> {
    return this.change(
      readings,
      ({ file }) => file.fileId,
      (distinct) => [
        save,
        [
          distinct.map(({ file }) => file.fileId),
          distinct.map(({ file }) => file.bandId),
          distinct.map(({ file }) => file.path.replaceAll('\0', '')),
          distinct.map(({ summary }) => summary.songId),
          distinct.map(({ summary }) => summary.title),
          distinct.map(({ summary }) => summary.kind),
          distinct.map(({ summary }) => summary.audience),
          distinct.map(({ file }) => file.revision),
          distinct.map(({ file }) => file.hash),
          distinct.map(({ summary }) => summary.readable),
          distinct.map(({ summary }) => summary.problem && JSON.stringify(summary.problem)),
          distinct.map(({ summary }) => JSON.stringify(summary)),
          distinct.map(({ operationId }) => operationId),
          parserVersion,
        ],
      ],
    );
  }

  private forgetAll(removals: readonly Removal[]): Promise<boolean[]> {
    return this.change(
      removals,
      ({ fileId }) => fileId,
      (distinct) => [
        forget,
        [
          distinct.map(({ fileId }) => fileId),
          distinct.map(({ operationId }) => operationId),
          distinct.map(({ revision }) => revision),
        ],
      ],
    );
  }

  /** One statement for all whose files are distinct; what else there is of a file follows, so that each finds what the one before left. */
  private async change<Change>(
    changes: readonly Change[],
    fileOf: (change: Change) => string,
    statementOf: (distinct: readonly Change[]) => [string, unknown[]],
  ): Promise<boolean[]> {
    const changed = new Set<Change>();
    for (let left = changes; left.length > 0;) {
      const firsts = new Map([...left].reverse().map((change) => [fileOf(change), change]));
      const rows = await this.dataSource.query<{ fileId: string }[]>(...statementOf([...firsts.values()]));
      for (const { fileId } of rows) changed.add(firsts.get(fileId)!);
      if (rows.length > 0) this.onFact();
      left = left.filter((change) => firsts.get(fileOf(change)) !== change);
    }
    return changes.map((change) => changed.has(change));
  }
}

/** $1 files, $2 the parser's version. */
const find = `
  select file_id as "fileId", revision::float8 as revision, summary from content_file
  where file_id = any($1) and parser_version = $2 and readable and removed_at is null`;

/**
 * $1 to $13 the columns of readings, one of each file, $14 the parser's version. Read again without another result, a file changes
 * nothing and is no news. Rows are written in one order, so that two who save never wait for each other, and each fact after the
 * file's row: its lock is what gives the facts of one file their order.
 */
const save = `
  with given as (
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[],
      $10::boolean[], $11::text[], $12::text[], $13::text[])
      as given (file_id, band_id, path, song_id, title, kind, audience, revision, hash, readable, problem, summary, operation_id)
  ), saved as (
    insert into content_file as known
      (file_id, band_id, path, song_id, title, kind, audience, revision, hash, readable, problem, summary, parser_version, reported_version)
    select file_id, band_id, path, song_id, title, kind, audience, revision, hash, readable, problem::jsonb, summary::jsonb, $14, $14
    from given order by file_id
    on conflict (file_id) do update set
      band_id = excluded.band_id, path = excluded.path, song_id = excluded.song_id, title = excluded.title, kind = excluded.kind,
      audience = excluded.audience, revision = excluded.revision, hash = excluded.hash, readable = excluded.readable,
      problem = excluded.problem, summary = excluded.summary, parser_version = excluded.parser_version,
      reported_version = excluded.reported_version, parsed_at = now(), removed_at = null
    where excluded.revision > known.revision
      or (excluded.revision = known.revision and (
        known.removed_at is not null
        or excluded.parser_version > known.parser_version
        or (excluded.parser_version = known.parser_version and excluded.summary is distinct from known.summary)))
    returning file_id, band_id
  )
  insert into content_fact (name, band_id, file_id, caused_by)
  select 'content.updated', saved.band_id, file_id, operation_id from saved join given using (file_id)
  returning file_id as "fileId"`;

/**
 * $1 files, $2 the operations that asked, $3 the revisions: what is saved of an earlier one comes too late. Rows are locked in one
 * order, and facts written after them, as by {@link save}.
 */
const forget = `
  with given as (
    select * from unnest($1::text[], $2::text[], $3::bigint[]) as given (file_id, operation_id, revision)
  ), held as materialized (
    select file_id, removed_at from content_file where file_id = any($1) order by file_id for update
  ), forgotten as (
    update content_file file set removed_at = coalesce(held.removed_at, now()), revision = greatest(file.revision, given.revision)
    from held join given using (file_id) where file.file_id = held.file_id
    returning file.file_id, band_id, held.removed_at is null as is_news
  )
  insert into content_fact (name, band_id, file_id, caused_by)
  select 'content.deleted', forgotten.band_id, file_id, operation_id from forgotten join given using (file_id) where is_news
  returning file_id as "fileId"`;

/** $1 the parser's version. */
const reportOutdated = `
  with outdated as (
    update content_file set reported_version = $1
    where parser_version < $1 and reported_version < $1 and removed_at is null
    returning file_id, band_id
  )
  insert into content_fact (name, band_id, file_id)
  select 'content.metadata_changed', band_id, file_id from outdated
  returning seq`;
