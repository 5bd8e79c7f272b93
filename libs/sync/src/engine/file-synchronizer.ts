import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Bus, type DriveFileState, type Facts } from '@soleil/bus';
import { bandChannel, fileKey, SyncError } from '@soleil/sync-protocol';
import type { DataSource, EntityManager } from 'typeorm';
import { SyncFile } from '../entities/sync-file.js';
import { EventBroadcaster } from '../event-broadcaster.js';
import type { Effect } from './work.js';

/** A file as the log should have it. */
interface Wanted {
  fileId: string;
  bandId: string;
  revision: number;
  /** Null: removed. */
  living: { channel: string; data: Record<string, unknown> } | null;
}

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
    return { apply: (transaction) => this.publish(wanted, transaction) };
  }

  private async understand(state: DriveFileState, operationId: string): Promise<Wanted> {
    if (state.state === 'removed') {
      const { fileId, bandId, revision } = state;
      await this.bus.request('content.forget_requested', { fileId, operationId });
      return { fileId, bandId, revision, living: null };
    }
    const { problem: _, ...file } = state.file;
    const { audience, content } = await this.bus.request('content.parse_requested', { file: state.file, operationId });
    const { fileId, bandId, revision } = file;
    return { fileId, bandId, revision, living: { channel: bandChannel(bandId, audience), data: { ...file, content } } };
  }

  private async publish(wanted: Wanted, transaction: EntityManager): Promise<Facts['sync.file_updated'] | null> {
    const { fileId, bandId, revision, living } = wanted;
    await transaction.query(
      `insert into sync_file (file_id, band_id, revision, state_hash) values ($1, $2, -1, '') on conflict do nothing`,
      [fileId, bandId],
    );
    // The lock gives two writers of one file the order in which they commit.
    const before = await transaction.findOneOrFail(SyncFile, { where: { fileId }, lock: { mode: 'pessimistic_write' } });
    if (revision < before.revision) return null;
    // With the revision: devices ask for the bytes of exactly the one they were told.
    const stateHash = living
      ? createHash('sha256')
          .update(JSON.stringify([living.channel, { ...living.data, modifiedAt: '' }]))
          .digest('hex')
      : '';
    const isNews = stateHash !== before.stateHash;
    let messageId = before.messageId;
    if (isNews && before.channel !== null && before.channel !== living?.channel) {
      messageId = await this.broadcaster.publish(
        { channel: before.channel, type: 'file_removed', key: fileKey(fileId), data: null },
        { transaction },
      );
    }
    if (isNews && living) {
      messageId = await this.broadcaster.publish(
        { channel: living.channel, type: 'file_update', key: fileKey(fileId), data: living.data },
        { transaction },
      );
    }
    const channel = living?.channel ?? null;
    const syncedAt = new Date();
    await transaction.update(SyncFile, { fileId }, { channel, revision, stateHash, messageId, syncedAt });
    const toldIn = channel ?? before.channel;
    return isNews && messageId && toldIn ? { bandId, fileId, channel: toldIn, messageId, at: syncedAt.toISOString() } : null;
  }
}
