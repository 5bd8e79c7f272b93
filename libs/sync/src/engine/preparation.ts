import { CodedError } from '@soleil/bus';
import type { SyncOperation } from '../entities/sync-operation.js';
import type { BandWork } from './band-work.js';
import type { FileSynchronizer } from './file-synchronizer.js';
import { LeaseLost } from '../queue/leases.js';
import type { Effect } from './work.js';

/** The first half of an operation: the asking, which holds nothing and changes nothing. */
export class Preparation {
  constructor(
    private readonly files: FileSynchronizer,
    private readonly bands: BandWork,
    private readonly timeoutMs: number,
  ) {}

  /**
   * A question that is never answered must not hold a worker, and its file, for ever. What comes later than this takes no effect.
   * @param announce comes first, and counts: who hears of it may take as long
   * @throws LeaseLost as soon as `lost` is aborted; CodedError `answer_late`; what the questions throw
   */
  async of(operation: SyncOperation, lost: AbortSignal, announce: () => Promise<void>): Promise<Effect> {
    if (lost.aborted) throw new LeaseLost(operation.id);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(answerLate()), this.timeoutMs);
      lost.addEventListener('abort', () => reject(new LeaseLost(operation.id)), { once: true });
    });
    try {
      return await Promise.race([late, announce().then(() => (lost.aborted ? late : this.ask(operation)))]);
    } finally {
      clearTimeout(timer);
    }
  }

  private ask(operation: SyncOperation): Promise<Effect> {
    if (operation.kind === 'file') return this.files.prepare(operation);
    return operation.kind === 'band' ? this.bands.prepareBand(operation) : this.bands.prepareUserSetup(operation);
  }
}

const answerLate = (): CodedError =>
  new CodedError({
    code: 'answer_late',
    message: 'A module took too long to answer.',
    remedy: 'It is tried again; if it stays, look at what Drive and Content log.',
    status: 504,
    retryable: true,
  });
