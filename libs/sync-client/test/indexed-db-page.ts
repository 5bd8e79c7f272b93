import { IndexedDbStore } from '../src/indexed-db-store.js';
import { openStore } from '../src/open-store.js';
import type { SyncStore } from '../src/store.js';
import { storeContract } from './store-contract.js';

export { openStore };

/** Runs one promise of the contract against a database of its own. @returns null, or what is broken */
export const runPromise = async (title: string): Promise<string | null> => {
  const promise = storeContract.find((each) => each.title === title);
  if (promise === undefined) return `There is no promise "${title}".`;
  let last: SyncStore | null = null;
  const open = async () => (last = await IndexedDbStore.open(`contract:${title}`));
  try {
    await promise.run(open);
    return null;
  } catch (error) {
    return String(error);
  } finally {
    await (last as SyncStore | null)?.close();
  }
};

/** Advances a channel one by one, without ever stopping, and says how far it is stored. */
export const writeForever = async (name: string, stored: (offset: number) => void): Promise<never> => {
  const store = await IndexedDbStore.open(name);
  const begin = (await store.load('system'))?.position.offset ?? 0;
  for (let offset = begin + 1; ; offset++) {
    const rows = ['a', 'b', 'c'].map((key) => ({ key, type: 'note', data: offset, offset, id: `m${offset}`, at: '' }));
    await store.apply('system', {
      position: { epoch: 'e1', offset },
      midStep: false,
      until: null,
      upserts: rows,
      deletions: [],
    });
    stored(offset);
  }
};

/** What a database has of the channel that `writeForever` advances. */
export const readBack = async (name: string): Promise<{ offset: number; rows: unknown[] }> => {
  const store = await IndexedDbStore.open(name);
  const stored = await store.load('system');
  await store.close();
  return { offset: stored?.position.offset ?? 0, rows: [...(stored?.rows.values() ?? [])].map(({ data }) => data) };
};

/** Stores an offset, waits, and tries to store the next one, until it has seen what is there. @returns how that went */
export const storeAround = async (name: string, wait: () => Promise<void>) => {
  const store = await IndexedDbStore.open(name);
  const apply = (offset: number) =>
    store
      .apply('system', { position: { epoch: 'e1', offset }, midStep: false, until: null, upserts: [], deletions: [] })
      .catch((error: Error) => error.message);
  const outcomes = [await apply(1)];
  await wait();
  outcomes.push(await apply(2));
  const seen = await store.load('system');
  outcomes.push(await apply(2));
  await store.close();
  const again = await IndexedDbStore.open(name);
  const kept = await again.load('system');
  await again.close();
  return { outcomes, seen, kept: kept?.position.offset, isSameDevice: again.deviceId === store.deviceId };
};
