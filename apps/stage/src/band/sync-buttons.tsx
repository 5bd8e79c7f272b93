import { useRef, useState, type ReactNode } from 'react';
import { ApiError, post } from '../session/api.js';

/** Asks Sync to look at the folder now. */
export function SyncButtons({ bandId, done }: { bandId: string; done: () => void }): ReactNode {
  const [said, setSaid] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const confirmation = useRef<HTMLDialogElement>(null);
  const trigger = async (mode: 'delta' | 'full'): Promise<void> => {
    setBusy(true);
    setSaid(null);
    try {
      await post('/sync/trigger', { bandId, mode });
      setSaid(mode === 'full' ? 'A full sync has been queued.' : 'Sync is looking for changes.');
      done();
    } catch (error) {
      setSaid(
        error instanceof ApiError ? `${error.error.message} ${error.error.remedy}`.trim() : 'That did not work. Try again.',
      );
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="sync-buttons">
      <button type="button" className="button button-primary" disabled={isBusy} onClick={() => void trigger('delta')}>
        Look for changes now
      </button>
      <button type="button" className="button" disabled={isBusy} onClick={() => confirmation.current?.showModal()}>
        Full sync
      </button>
      <p className="quiet" role="status">
        {said}
      </p>
      <dialog
        ref={confirmation}
        aria-labelledby="full-sync"
        onClose={({ currentTarget }) => currentTarget.returnValue === 'full' && void trigger('full')}
      >
        <form method="dialog">
          <h2 id="full-sync">Check every file?</h2>
          <p>
            A full sync reads the whole folder again. It is rarely needed: changes arrive by themselves. Nobody is
            interrupted by it.
          </p>
          <div className="dialog-buttons">
            <button className="button" value="">
              Cancel
            </button>
            <button className="button button-primary" value="full">
              Full sync
            </button>
          </div>
        </form>
      </dialog>
    </div>
  );
}
