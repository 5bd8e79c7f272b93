import { IndexedDbStore } from './indexed-db-store.js';
import { MemoryStore } from './memory-store.js';
import type { SyncStore } from './store.js';

interface LockManager {
  request(name: string, options: { ifAvailable: true }, holding: (lock: object | null) => Promise<void>): Promise<void>;
}

const globals = globalThis as unknown as { indexedDB?: object; navigator?: { locks?: LockManager } };

/**
 * The store of this tab. Of several tabs with one `name` the first gets what the browser keeps; the others, and every place
 * without IndexedDB or Web Locks (Node, pages over plain http), get memory and a device id of their own: they start from
 * the server's state and forget it with the tab. `durable` of what comes back says which it is.
 *
 * @param options.name one for each user, so that what one user stored is never shown to another
 */
export const openStore = async ({ name }: { name: string }): Promise<SyncStore> => {
  const fullName = `soleil-sync:${name}`;
  const { indexedDB, navigator } = globals;
  if (indexedDB === undefined || navigator?.locks === undefined) return new MemoryStore();
  const release = await takeLock(navigator.locks, fullName);
  if (release === null) return new MemoryStore();
  try {
    return await IndexedDbStore.open(fullName, release);
  } catch {
    // A browser that refuses storage (private mode, full disk) still syncs, it only starts over with every page.
    release();
    return new MemoryStore();
  }
};

/** @returns what gives the lock back; null where another tab has it */
const takeLock = (locks: LockManager, name: string): Promise<(() => void) | null> =>
  new Promise((resolve, reject) => {
    locks
      .request(name, { ifAvailable: true }, (lock) => {
        if (lock === null) {
          resolve(null);
          return Promise.resolve();
        }
        return new Promise((release) => resolve(release));
      })
      .catch(reject);
  });
