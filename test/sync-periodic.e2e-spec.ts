import { SyncEngine, SyncOperation, type SyncOptions } from '@soleil/sync';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { SmallBand } from './support/small-band.js';
import { startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

describe('looks over bands that nobody asked for', () => {
  let database: TestDatabase;
  let band: SmallBand;
  const nodes: SyncApp[] = [];

  beforeEach(async () => {
    database = await syncDatabase();
    band = new SmallBand();
    band.join('tina', 'b1', 'trumpet');
    band.connected.add('b1');
  });
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.close();
    await database.drop();
  });

  const start = async (options?: SyncOptions): Promise<SyncApp> => {
    const node = await startSyncApp(database, options, band);
    nodes.push(node);
    return node;
  };
  const looks = (node: SyncApp): Promise<SyncOperation[]> =>
    node.database.getRepository(SyncOperation).find({ where: { kind: 'band' }, order: { createdAt: 'ASC' } });
  /** Asks until the looks are like that. */
  const until = async (node: SyncApp, like: (all: SyncOperation[]) => boolean): Promise<SyncOperation[]> => {
    for (;;) {
      const all = await looks(node);
      if (like(all)) return all;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it('brings what happened while no server was there', async () => {
    band.files.set('f1', { fileId: 'f1', bandId: 'b1', path: 'Tune_Bb.pdf', audience: 'Bb', text: 'first', revision: 1 });
    band.found.push({ eventId: 'e1', fileId: 'f1', kind: 'added' });
    const node = await start();
    const tina = new Follower(stockClient(node.url, { token: 'tina' }), 'band:b1:Bb');
    await tina.subscribe();
    await tina.count(1);
    tina.socket.disconnect();
    expect(tina.messages).toMatchObject([{ key: 'file:f1' }]);
    expect(await looks(node)).toMatchObject([{ bandId: 'b1', mode: 'delta', cause: 'start' }]);
  });

  it('does not look once more for a second server that starts while the first one looks', async () => {
    const question = band.delay('rescan');
    const first = await start();
    await question.asked;
    const bands = band.delay('bands');
    const second = await start();
    await bands.asked;
    bands.answer();
    expect(await second.app.get(SyncEngine).lookOver(['b1'], { priority: 'normal', cause: 'test' })).toEqual([]);
    question.answer();
    const [look, another] = await until(first, (all) => all[0]?.status === 'completed');
    expect([look?.cause, another]).toEqual(['start', undefined]);
  });

  it('fault: Drive is not ready; looks as soon as it is', async () => {
    band.unready = new Error('Not yet.');
    const node = await start({ bandSyncIntervalMs: 50 });
    const [look] = await until(node, (all) => all.length > 0);
    expect(look).toMatchObject({ bandId: 'b1', cause: 'start' });
    expect(band.unready).toBeNull();
  });

  it('leaves it to the interval where the server is not to look when it starts', async () => {
    const node = await start({ syncOnStart: false });
    const [look] = await until(node, (all) => all.length > 0);
    expect(look).toMatchObject({ bandId: 'b1', mode: 'delta', cause: 'interval', priority: 3 });
  });

  it('looks once an interval, however many servers there are', async () => {
    const options = { bandSyncIntervalMs: 200, syncOnStart: false };
    const [node] = await Promise.all([start(options), start(options), start(options)]);
    const all = await until(node, (found) => found.filter(({ status }) => status === 'completed').length >= 6);
    const gaps = all.slice(1).map(({ createdAt }, nth) => createdAt.getTime() - all[nth]!.preparedAt!.getTime());
    expect(gaps.filter((gap) => gap < options.bandSyncIntervalMs - 1)).toEqual([]);
    expect(new Set(all.map(({ cause }) => cause))).toEqual(new Set(['interval']));
  });
});
