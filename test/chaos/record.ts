import { openSync, readFileSync, writeSync } from 'node:fs';

/** A message as its publisher knows it. `n` is unique in the run and travels with the message, see {@link typeOf}. */
export interface Publishing {
  n: number;
  channel: string;
  key?: string;
  /** Which change of an entity this is, counted under the lock of the entity's row: 1, 2, 3 … in commit order. */
  version?: number;
  /** A tombstone. */
  gone?: true;
  /** Published under this idempotency key, so that it may be tried again. */
  idempotencyKey?: string;
}

/**
 * What a publisher does, line by line, in the order in which it does it:
 *
 *     publishing ──▶ committing ──▶ committed
 *          └──▶ rolled_back  └──▶ (nothing: unknown)
 *
 * A transaction that never came to `committing` has not committed, whoever died. One that did, and no further, may have.
 */
export type RecordLine =
  | { op: 'publishing'; tx: string; messages: Publishing[] }
  | { op: 'committing'; tx: string }
  | { op: 'committed'; tx: string; ids: string[] }
  | { op: 'rolled_back'; tx: string };

/** A publisher's own account, outside of the database and the server: what is written outlives a process that is killed. */
export class Record {
  private readonly file: number;

  constructor(private readonly path: string) {
    this.file = openSync(path, 'a');
  }

  write(line: RecordLine): void {
    writeSync(this.file, `${JSON.stringify(line)}\n`);
  }

  lines(): RecordLine[] {
    return readRecord(this.path);
  }
}

export function readRecord(path: string): RecordLine[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RecordLine);
}

export type Outcome = 'committed' | 'rolled_back' | 'unknown';

export interface Published extends Publishing {
  tx: string;
  outcome: Outcome;
  /** As the server named it; known when it is known to have committed. */
  id: string | null;
}

/** One entry for each message and transaction, in the record's order. */
export function outcomesOf(lines: readonly RecordLine[]): Published[] {
  const byTransaction = new Map<string, Published[]>();
  const all: Published[] = [];
  for (const line of lines) {
    const messages = byTransaction.get(line.tx) ?? [];
    byTransaction.set(line.tx, messages);
    if (line.op === 'publishing') {
      for (const message of line.messages) {
        const published: Published = { ...message, tx: line.tx, outcome: 'rolled_back', id: null };
        messages.push(published);
        all.push(published);
      }
    } else {
      messages.forEach((message, nth) => {
        message.outcome = line.op === 'committing' ? 'unknown' : line.op;
        if (line.op === 'committed') message.id = line.ids[nth]!;
      });
    }
  }
  return all;
}

const prefix = 'chaos-';

/** The message's type carries its number: a tombstone has nothing else to carry it in. */
export const typeOf = (n: number): string => `${prefix}${n}`;

/** @returns null for what no publisher of ours published */
export const numberOf = (type: string): number | null =>
  type.startsWith(prefix) ? Number(type.slice(prefix.length)) : null;
