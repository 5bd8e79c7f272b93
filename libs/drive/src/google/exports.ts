import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { ByteRange } from '../provider.js';

/** No value of PostgreSQL is longer. */
const mostBytes = 2 ** 30;

/**
 * What a band's Google documents were exported to. Google does not promise that a version's next export has the same
 * bytes, and a revision means exactly one content: so each export is kept as long as a file has it.
 */
export class Exports {
  constructor(
    private readonly dataSource: DataSource,
    private readonly bandId: string,
  ) {}

  /** @returns the SHA-256 of the bytes, hex, by which they are found again */
  async keep(bytes: Buffer): Promise<string> {
    const hash = createHash('sha256').update(bytes).digest('hex');
    await this.dataSource.query(
      `insert into drive_export (band_id, hash, bytes) values ($1, $2, $3)
       on conflict (band_id, hash) do update set made_at = clock_timestamp()`,
      [this.bandId, hash, bytes],
    );
    return hash;
  }

  /** @returns null when they are not kept any more, or never were: files that are no exports are asked for, too, and may have gigabytes */
  async read(hash: string, { start, end }: ByteRange): Promise<Buffer | null> {
    const rows = await this.dataSource.query<{ bytes: Buffer }[]>(
      `select substring(bytes from least($3::bigint, ${mostBytes})::int for least($4::bigint, ${mostBytes})::int) as bytes
       from drive_export where band_id = $1 and hash = $2`,
      [this.bandId, hash, start + 1, end + 1 - start],
    );
    return rows[0]?.bytes ?? null;
  }

  /** Forgets what no file has any more. What was made a moment ago may be about to be committed. */
  async prune(): Promise<void> {
    await this.dataSource.query(
      `delete from drive_export e where band_id = $1 and made_at < clock_timestamp() - interval '1 day'
       and not exists (select from drive_file f where f.band_id = $1 and f.hash = e.hash and f.removed_at is null)`,
      [this.bandId],
    );
  }
}
