import type { Row, SyncStore } from '../src/store.js';

/** One promise of a store. It throws where the promise is broken; it needs no test library, so that a browser can run it. */
export interface StorePromise {
  title: string;
  /** @param open opens the same store again, once it is closed: an empty one at first */
  run(open: () => Promise<SyncStore>): Promise<void>;
  /** Only of a store that outlives its page. */
  durable?: true;
}

const row = (key: string, offset: number, data: unknown = `as of ${offset}`): Row => ({
  key,
  type: 'note',
  data,
  offset,
  id: `m${offset}`,
  at: '2026-11-23T20:00:00.000Z',
});

const at = (offset: number, upserts: Row[] = [], deletions: string[] = []) => ({
  position: { epoch: 'e1', offset },
  midStep: false,
  until: null,
  upserts,
  deletions,
});

const same = (actual: unknown, expected: unknown): void => {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`expected ${right}, got ${left}`);
};

const contentOf = async (store: SyncStore, channel: string) => {
  const stored = await store.load(channel);
  return (
    stored && {
      offset: stored.position.offset,
      rows: Object.fromEntries([...stored.rows].sort().map(([key, { data }]) => [key, data])),
    }
  );
};

/** What every store keeps, whatever it is made of. */
export const storeContract: StorePromise[] = [
  {
    title: 'knows nothing at first',
    async run(open) {
      const store = await open();
      same(await store.load('system'), null);
      same(await store.channels(), []);
    },
  },
  {
    title: 'keeps rows and position of a channel together, whatever the data',
    async run(open) {
      const store = await open();
      const data = { text: 'Es-Dur, ♭♭♭', list: [1, null, { deep: true }], empty: '' };
      same(
        await store.apply('band:b1', {
          ...at(3, [row('file:1', 2, data), row('file:2', 3)]),
          midStep: true,
          until: { epoch: 'e1', offset: 9 },
        }),
        true,
      );
      const stored = await store.load('band:b1');
      same(stored?.position, { epoch: 'e1', offset: 3 });
      same(stored?.midStep, true);
      same(stored?.until, { epoch: 'e1', offset: 9 });
      same(stored?.rows.get('file:1'), row('file:1', 2, data));
      same(stored?.rows.size, 2);
    },
  },
  {
    title: 'replaces and removes rows by their key',
    async run(open) {
      const store = await open();
      await store.apply('band:b1', at(2, [row('file:1', 1), row('file:2', 2)]));
      await store.apply('band:b1', at(4, [row('file:1', 3)], ['file:2', 'file:unknown']));
      same(await contentOf(store, 'band:b1'), { offset: 4, rows: { 'file:1': 'as of 3' } });
    },
  },
  {
    title: 'moves on without rows',
    async run(open) {
      const store = await open();
      await store.apply('system', at(1));
      await store.apply('system', { ...at(9), position: { epoch: 'e2', offset: 9 } });
      same((await store.load('system'))?.position, { epoch: 'e2', offset: 9 });
    },
  },
  {
    title: 'refuses to go back or to stand still, and changes nothing then',
    async run(open) {
      const store = await open();
      await store.apply('band:b1', at(5, [row('file:1', 5)]));
      same(await store.apply('band:b1', at(5, [row('file:1', 5, 'other')])), false);
      same(await store.apply('band:b1', at(4, [], ['file:1'])), false);
      same(await contentOf(store, 'band:b1'), { offset: 5, rows: { 'file:1': 'as of 5' } });
    },
  },
  {
    title: 'of advances that run at once keeps what the furthest says, and whole ones only',
    async run(open) {
      const store = await open();
      const offsets = [3, 1, 5, 2, 4];
      await Promise.all(offsets.map((offset) => store.apply('band:b1', at(offset, [row('a', offset), row('b', offset)]))));
      const content = await contentOf(store, 'band:b1');
      same(content, { offset: 5, rows: { a: 'as of 5', b: 'as of 5' } });
    },
  },
  {
    title: 'keeps channels apart, also where one name begins like another',
    async run(open) {
      const store = await open();
      await store.apply('band:b1', at(1, [row('file:1', 1)]));
      await store.apply('band:b1:Bb', at(2, [row('file:1', 2)]));
      await store.apply('band:b', at(3, [row('file:1', 3)]));
      await store.forget('band:b1');
      same(await contentOf(store, 'band:b1'), null);
      same(await contentOf(store, 'band:b1:Bb'), { offset: 2, rows: { 'file:1': 'as of 2' } });
      same(await contentOf(store, 'band:b'), { offset: 3, rows: { 'file:1': 'as of 3' } });
      same(await store.channels(), ['band:b', 'band:b1:Bb']);
    },
  },
  {
    title: 'starts a forgotten channel over, from any position',
    async run(open) {
      const store = await open();
      await store.apply('band:b1', at(9, [row('file:1', 9)]));
      await store.forget('band:b1');
      same(await store.apply('band:b1', at(1, [row('file:2', 1)])), true);
      same(await contentOf(store, 'band:b1'), { offset: 1, rows: { 'file:2': 'as of 1' } });
    },
  },
  {
    title: 'gives out copies: what a caller does with them changes nothing',
    async run(open) {
      const store = await open();
      await store.apply('band:b1', at(1, [row('file:1', 1)]));
      (await store.load('band:b1'))?.rows.clear();
      same(await contentOf(store, 'band:b1'), { offset: 1, rows: { 'file:1': 'as of 1' } });
    },
  },
  {
    title: 'has a device id that fits the protocol',
    async run(open) {
      const { deviceId } = await open();
      if (!/^[\w-]{8,64}$/.test(deviceId)) throw new Error(`got ${deviceId}`);
    },
  },
  {
    title: 'still has everything, its device id too, when it is opened again',
    durable: true,
    async run(open) {
      const store = await open();
      await store.apply('band:b1', at(4, [row('file:1', 4)]));
      await store.close();
      const again = await open();
      same(again.deviceId, store.deviceId);
      same(await contentOf(again, 'band:b1'), { offset: 4, rows: { 'file:1': 'as of 4' } });
    },
  },
  {
    title: 'is empty and another device after it was destroyed',
    durable: true,
    async run(open) {
      const store = await open();
      await store.apply('band:b1', at(4, [row('file:1', 4)]));
      await store.destroy();
      const again = await open();
      same(again.deviceId === store.deviceId, false);
      same(await again.channels(), []);
    },
  },
];
