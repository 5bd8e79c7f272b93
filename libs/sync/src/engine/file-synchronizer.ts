import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Bus, type DriveFileState, type Facts } from '@soleil/bus';
import { bandChannel, fileKey, SyncError } from '@soleil/sync-protocol';
import type { DataSource, EntityManager } from 'typeorm';
import { SyncFile } from '../entities/sync-file.js';
import { EventBroadcaster } from '../event-broadcaster.js';
import type { OutboxMessage } from '../log/outbox-message.js';
import { wants, type BandSettings, type Settings } from '../settings/band-settings.js';
import type { Effect, Wanted } from './work.js';

/**
 * Brings one file's present state into the log. Asks Drive what the file is and Content what it means; reads no file and
 * parses nothing itself. It always takes the present state, never an event's, so events may be late, doubled or lost.
 */
@Injectable()
export class FileSynchronizer {
  constructor(
    private readonly bus: Bus,
    private readonly broadcaster: EventBroadcaster,
    private readonly database: DataSource,
    private readonly settings: BandSettings,
  ) {}

  /** The channel that carries the file, for questions of access; null when it was never published or is removed. */
  async channelOf(fileId: string): Promise<{ bandId: string; channel: string | null } | null> {
    return this.database.getRepository(SyncFile).findOneBy({ fileId });
  }

  /** @throws what Drive and Content throw: `file_unknown`, `revision_gone` and their own */
  async prepare(operation: { id: string; fileId: string | null }): Promise<Effect> {
    const { fileId } = operation;
    if (fileId === null) throw new SyncError('file_unknown', 'The operation names no file.');
    const state = await this.bus.request('drive.file_requested', { fileId });
    const wanted = await this.understand(state, operation.id);
    return { kind: 'file', wanted };
  }

  private async understand(state: DriveFileState, operationId: string): Promise<Wanted> {
    const isRemoved = state.state === 'removed';
    const { fileId, bandId, revision } = isRemoved ? state : state.file;
    // What the band does not want is not even read.
    if (isRemoved || !wants(await this.settings.of(bandId), state.file)) {
      await this.bus.request('content.forget_requested', { fileId, revision, operationId });
      return { fileId, bandId, revision, living: null };
    }
    const { problem: _, hasNewerNamesake: __, ...file } = state.file;
    const { audience, content } = await this.bus.request('content.parse_requested', { file: state.file, operationId });
    const living = { channel: bandChannel(bandId, audience), data: { ...file, content }, wishable: state.file };
    return { fileId, bandId, revision, living };
  }

  /**
   * Publishes what is news of these, each of another file, and remembers it, in the transaction that completes their operations.
   * @returns the facts to tell once it is committed
   */
  async publish(all: readonly Wanted[], transaction: EntityManager): Promise<Facts['sync.file_updated'][]> {
    const changes = await this.lockChanges(all, transaction);
    const messages = changes.flatMap((change) => change.messages);
    const ids = messages.length > 0 ? await this.broadcaster.publishAll(messages, { transaction }) : [];
    const syncedAt = new Date();
    let published = 0;
    const told = changes.map(({ wanted, before, stateHash, messages: own }) => {
      published += own.length;
      return {
        fileId: wanted.fileId,
        channel: wanted.living?.channel ?? null,
        revision: wanted.revision,
        stateHash,
        messageId: own.length > 0 ? ids[published - 1]! : before.messageId,
      };
    });
    if (told.length > 0)
      await transaction.query(remember, [...rememberedColumns.map((name) => told.map((one) => one[name])), syncedAt]);
    return changes.flatMap(({ wanted: { bandId, fileId }, before, messages: own }, place) => {
      const { channel, messageId } = told[place]!;
      const toldIn = channel ?? before.channel;
      return own.length > 0 && toldIn
        ? [{ bandId, fileId, channel: toldIn, messageId: messageId!, at: syncedAt.toISOString() }]
        : [];
    });
  }

  /** The locks, taken in one order, give two writers of one file the order in which they commit. */
  private async lockChanges(all: readonly Wanted[], transaction: EntityManager): Promise<Change[]> {
    const sorted = [...all].sort((one, other) => (one.fileId < other.fileId ? -1 : 1));
    const fileIds = sorted.map(({ fileId }) => fileId);
    await transaction.query(
      `insert into sync_file (file_id, band_id, revision, state_hash)
       select file_id, band_id, -1, '' from unnest($1::text[], $2::text[]) as given (file_id, band_id) on conflict do nothing`,
      [fileIds, sorted.map(({ bandId }) => bandId)],
    );
    const rows = await transaction
      .createQueryBuilder(SyncFile, 'f')
      .where('f.fileId = any(:fileIds)', { fileIds })
      .orderBy('f.fileId')
      .setLock('pessimistic_write')
      .getMany();
    const known = new Map(rows.map((row) => [row.fileId, row]));
    const settings = await this.settings.ofAll(
      all.map(({ bandId }) => bandId),
      transaction,
    );
    return sorted.map(unlessLeftOut(settings)).flatMap((wanted) => {
      const before = known.get(wanted.fileId)!;
      return wanted.revision < before.revision ? [] : [changeOf(wanted, before)];
    });
  }
}

interface Change {
  wanted: Wanted;
  before: SyncFile;
  stateHash: string;
  messages: OutboxMessage[];
}

/** They may have changed since the file was asked for. */
const unlessLeftOut =
  (settings: ReadonlyMap<string, Settings>) =>
  (wanted: Wanted): Wanted => {
    const chosen = settings.get(wanted.bandId);
    const isLeftOut = chosen !== undefined && wanted.living !== null && !wants(chosen, wanted.living.wishable);
    return isLeftOut ? { ...wanted, living: null } : wanted;
  };

function changeOf(wanted: Wanted, before: SyncFile): Change {
  const { fileId, living } = wanted;
  // With the revision: devices ask for the bytes of exactly the one they were told.
  const stateHash = living
    ? createHash('sha256')
        .update(JSON.stringify([living.channel, { ...living.data, modifiedAt: '' }], inOrder))
        .digest('hex')
    : '';
  const messages: OutboxMessage[] = [];
  if (stateHash !== before.stateHash) {
    const key = fileKey(fileId);
    if (before.channel !== null && before.channel !== living?.channel)
      messages.push({ channel: before.channel, type: 'file_removed', key, data: null });
    if (living) messages.push({ channel: living.channel, type: 'file_update', key, data: living.data });
  }
  return { wanted, before, stateHash, messages };
}

/** The same content may come in another order, from a parser or from a database. */
const inOrder = (_: string, value: unknown): unknown =>
  value instanceof Object && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value;

const rememberedColumns = ['fileId', 'channel', 'revision', 'stateHash', 'messageId'] as const;

/** $1 to $5 these columns, $6 when. As arrays, since their length tells the planner to go by the key and not through the whole table. */
const remember = `
  update sync_file f
  set channel = told.channel, revision = told.revision, state_hash = told.state_hash, message_id = told.message_id, synced_at = $6
  from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::uuid[]) as told (file_id, channel, revision, state_hash, message_id)
  where f.file_id = told.file_id`;
