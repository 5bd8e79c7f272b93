import type { Holdings, Row } from '@soleil/sync-client';
import type { FileUpdate } from '@soleil/sync-protocol';
import { isKept } from './file-words.js';

/** What this device may say that it has of a channel's files. @param held hashes of the bytes that are here, verified */
export function holdingsOf(rows: Iterable<Row>, held: ReadonlySet<string>): Holdings {
  const files = [...rows].filter((row): row is Row<FileUpdate> => row.type === 'file_update' && isKept((row as Row<FileUpdate>).data));
  return new Map(files.map(({ key, data: { hash } }) => [key, held.has(hash) ? hash : null]));
}
