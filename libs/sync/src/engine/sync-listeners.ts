import { Injectable } from '@nestjs/common';
import { OnFact, type DriveChange, type Facts, type FileFact, type Receipt } from '@soleil/bus';
import { changeOperation, fileOperation } from './band-work.js';
import { SyncEngine } from './sync-engine.js';

/** Turns what the other modules tell into operations. A receipt is given when the operation is committed. */
@Injectable()
export class SyncListeners {
  constructor(private readonly engine: SyncEngine) {}

  @OnFact('drive.file_added')
  added(fact: Facts['drive.file_added']): Promise<Receipt> {
    return this.change('added', fact);
  }

  @OnFact('drive.file_changed')
  changed(fact: Facts['drive.file_changed']): Promise<Receipt> {
    return this.change('changed', fact);
  }

  @OnFact('drive.file_removed')
  removed(fact: Facts['drive.file_removed']): Promise<Receipt> {
    return this.change('removed', fact);
  }

  @OnFact('content.updated')
  contentUpdated(fact: Facts['content.updated']): Promise<Receipt> {
    return this.content('content.updated', fact);
  }

  @OnFact('content.deleted')
  contentDeleted(fact: Facts['content.deleted']): Promise<Receipt> {
    return this.content('content.deleted', fact);
  }

  @OnFact('content.metadata_changed')
  contentMetadataChanged(fact: Facts['content.metadata_changed']): Promise<Receipt> {
    return this.content('content.metadata_changed', fact);
  }

  @OnFact('auth.user_logged_in')
  async loggedIn({ userId }: Facts['auth.user_logged_in']): Promise<Receipt> {
    const orderingKey = `user:${userId}`;
    return {
      receipt: await this.engine.enqueue({
        kind: 'user_setup',
        priority: 'critical',
        orderingKey,
        cause: 'auth.user_logged_in',
        userId,
      }),
    };
  }

  private async change(kind: DriveChange['kind'], fact: FileFact): Promise<Receipt> {
    return { receipt: await this.engine.enqueue(changeOperation(kind, fact)) };
  }

  /** News of Content that one of our own operations caused is on its way already. */
  private async content(cause: string, { causedBy, eventId, bandId, fileId }: Facts['content.updated']): Promise<Receipt> {
    if (causedBy) return { receipt: causedBy };
    return {
      receipt: await this.engine.enqueue({ ...fileOperation(bandId, fileId), priority: 'low', cause, eventId }),
    };
  }
}
