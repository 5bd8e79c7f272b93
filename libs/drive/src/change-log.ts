import { randomUUID } from 'node:crypto';
import type { DriveChange } from '@soleil/bus';
import type { DataSource, EntityManager } from 'typeorm';
import { DriveError } from './drive-error.js';
import { planChanges, type Plan, type PlannedChange } from './plan-changes.js';
import type { KnownFile, Sighting } from './provider.js';

const columns = `
  file_id as "fileId", path, size::float8 as size, hash, mime_type as "mimeType", revision::float8 as revision,
  to_char(modified_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "modifiedAt", source_id as "sourceId", fingerprint,
  link_target as "linkTarget", problem, has_newer_namesake as "hasNewerNamesake",
  removed_at is not null as removed`;

/** Whose changes, and the place that they are of. */
export interface Connection {
  bandId: string;
  provider: string;
  settings: Record<string, unknown>;
}

/**
 * The durable change log of one band: the files as they were last seen, and every change of them in the order of commit.
 * Whatever a source sights goes through {@link commit}; what is committed is told on the bus by the band's teller, however
 * often the process dies in between.
 */
export class ChangeLog {
  /** @param onMoved called where the band is found connected to another place, by whatever process */
  constructor(
    private readonly dataSource: DataSource,
    private readonly connection: Connection,
    private readonly onCommitted: () => void,
    private readonly onMoved: () => void,
  ) {}

  get bandId(): string {
    return this.connection.bandId;
  }

  /**
   * Takes sightings on, in one transaction with the source's own cursor where one is given. Several processes may take on
   * the same sightings: writers of one band wait for each other, and what is known already is no change.
   * @param since the cursor that the sightings were made from, where old news must not undo newer: when another process
   *   has moved the cursor meanwhile, nothing is committed
   * @returns the changes, in the order in which they will be told
   * @throws DriveError `folder_missing` where the band is connected to another place by now: what is here is none of its files
   */
  async commit(
    sightings: readonly Sighting[],
    cursor?: Record<string, unknown>,
    since?: Record<string, unknown> | null,
  ): Promise<PlannedChange[]> {
    const changes = await this.dataSource.transaction(async (manager) => {
      // Sequence numbers are drawn before they are committed: without this lock a lower one could appear after a higher one was told.
      const [folder] = await manager.query<{ unmoved: boolean }[]>(
        `select cursor is not distinct from $4::jsonb as unmoved from drive_folder
         where band_id = $1 and provider = $2 and settings = $3::jsonb for update`,
        [...this.place, since ?? null],
      );
      if (!folder) throw this.moved();
      if (since !== undefined && !folder.unmoved) return [];
      const plan = planChanges(sightings, await this.knownAt(manager, pathsOf(sightings)), randomUUID);
      await this.write(manager, plan);
      if (cursor) await manager.query('update drive_folder set cursor = $2 where band_id = $1', [this.bandId, cursor]);
      return plan.changes;
    });
    if (changes.length > 0) this.onCommitted();
    return changes;
  }

  /**
   * What the source last committed as its cursor; null at first, and after the band was connected to this place.
   * @throws DriveError `folder_missing` where it is connected to another place by now
   */
  async cursor(): Promise<Record<string, unknown> | null> {
    const [folder] = await this.dataSource.query<{ cursor: Record<string, unknown> | null }[]>(
      'select cursor from drive_folder where band_id = $1 and provider = $2 and settings = $3::jsonb',
      this.place,
    );
    if (!folder) throw this.moved();
    return folder.cursor;
  }

  /** Up to where changes have been told and a receipt was given. */
  async toldUpTo(): Promise<number> {
    const [row] = await this.dataSource.query<[{ told: number }]>(
      'select told_seq::float8 as told from drive_cursor where band_id = $1',
      [this.bandId],
    );
    return row.told;
  }

  /** The changes after that place, in the order in which they are told, at most `limit`. */
  async changesAfter(seq: number, limit: number): Promise<DriveChange[]> {
    return this.dataSource.query(
      `select event_id as "eventId", file_id as "fileId", kind from drive_change
       where band_id = $1 and drive_change.seq > $2 order by drive_change.seq limit $3`,
      [this.bandId, seq, limit],
    );
  }

  /** The present files at these paths. */
  async presentAt(paths: readonly string[]): Promise<KnownFile[]> {
    return this.dataSource.query(
      `select ${columns} from drive_file where band_id = $1 and path = any($2) and removed_at is null`,
      [this.bandId, paths],
    );
  }

  /** The present files inside a folder, in no order; `''` is the band's whole folder. */
  async presentUnder(folder: string): Promise<KnownFile[]> {
    return this.dataSource.query(
      `select ${columns} from drive_file where band_id = $1 and starts_with(path, $2) and removed_at is null`,
      [this.bandId, folder === '' ? '' : `${folder}/`],
    );
  }

  /** Where present files have the identity or the bytes of one of these sightings, empty files aside. */
  async presentLike(sightings: readonly Sighting[]): Promise<{ path: string; sourceId: string | null; hash: string }[]> {
    const present = sightings.filter((sighting) => sighting.seen === 'present');
    return this.dataSource.query(
      `select path, source_id as "sourceId", hash from drive_file
       where band_id = $1 and removed_at is null and (source_id = any($2) or (hash = any($3) and hash <> '' and size > 0))`,
      [this.bandId, present.flatMap(({ sourceId }) => sourceId ?? []), present.map(({ hash }) => hash)],
    );
  }

  async countPresent(): Promise<number> {
    const [row] = await this.dataSource.query<[{ count: number }]>(
      'select count(*)::int as count from drive_file where band_id = $1 and removed_at is null',
      [this.bandId],
    );
    return row.count;
  }

  /** The paths of the present links that lead to these paths. */
  async linksTo(paths: readonly string[]): Promise<string[]> {
    const rows = await this.dataSource.query<{ path: string }[]>(
      'select path from drive_file where band_id = $1 and link_target = any($2) and removed_at is null',
      [this.bandId, paths],
    );
    return rows.map((row) => row.path);
  }

  /** Drops changes that were told and are older than `days`. The files themselves stay. */
  async prune(days: number): Promise<void> {
    await this.dataSource.query(
      `delete from drive_change using drive_cursor
       where drive_change.band_id = $1 and drive_cursor.band_id = $1
         and seq <= told_seq and at < now() - make_interval(secs => $2)`,
      [this.bandId, days * 86_400],
    );
  }

  private get place(): [string, string, Record<string, unknown>] {
    const { bandId, provider, settings } = this.connection;
    return [bandId, provider, settings];
  }

  private moved(): DriveError {
    this.onMoved();
    return new DriveError('folder_missing', 'The band is connected to another place by now.');
  }

  private async knownAt(manager: EntityManager, paths: string[]): Promise<{ present: KnownFile[]; removed: KnownFile[] }> {
    const present: KnownFile[] = await manager.query(
      `select ${columns} from drive_file where band_id = $1 and path = any($2) and removed_at is null`,
      [this.bandId, paths],
    );
    const taken = new Set(present.map((file) => file.path));
    const removed: KnownFile[] = await manager.query(
      `select distinct on (path) ${columns} from drive_file
       where band_id = $1 and path = any($2) and removed_at is not null order by path, removed_at desc`,
      [this.bandId, paths.filter((path) => !taken.has(path))],
    );
    return { present, removed };
  }

  private async write(manager: EntityManager, plan: Plan): Promise<void> {
    if (plan.rows.length === 0) return;
    // Files that change places would for a moment be two at one path.
    if (plan.leaving.length > 0)
      await manager.query('update drive_file set removed_at = clock_timestamp() where file_id = any($1)', [plan.leaving]);
    await manager.query(
      `insert into drive_file (file_id, band_id, path, size, hash, mime_type, revision, modified_at, source_id, fingerprint, link_target, problem,
         has_newer_namesake, removed_at)
       select "fileId", $1, path, size, hash, "mimeType", revision, "modifiedAt", "sourceId", fingerprint, "linkTarget", problem,
         "hasNewerNamesake", case when removed then clock_timestamp() end
       from jsonb_to_recordset($2) as row ("fileId" uuid, path text, size bigint, hash text, "mimeType" text, revision bigint,
         "modifiedAt" timestamptz, "sourceId" text, fingerprint jsonb, "linkTarget" text, problem jsonb,
         "hasNewerNamesake" boolean, removed boolean)
       on conflict (file_id) do update set
         path = excluded.path, size = excluded.size, hash = excluded.hash, mime_type = excluded.mime_type, revision = excluded.revision,
         modified_at = excluded.modified_at, source_id = excluded.source_id, fingerprint = excluded.fingerprint,
         link_target = excluded.link_target, problem = excluded.problem,
         has_newer_namesake = excluded.has_newer_namesake, removed_at = excluded.removed_at`,
      [this.bandId, JSON.stringify(plan.rows.map((row) => ({ ...row, problem: row.problem ?? undefined })))],
    );
    await manager.query(
      `insert into drive_change (band_id, file_id, kind, path, revision)
       select $1, (change->>'fileId')::uuid, change->>'kind', change->>'path', (change->>'revision')::bigint
       from jsonb_array_elements($2) with ordinality as listed (change, place) order by place`,
      [this.bandId, JSON.stringify(plan.changes)],
    );
  }
}

function pathsOf(sightings: readonly Sighting[]): string[] {
  return sightings.map((sighting) => sighting.path);
}
