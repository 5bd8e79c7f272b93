import { SyncOperation } from '@soleil/sync';
import { wireError, type FileUpdate, type WireError } from '@soleil/sync-protocol';
import type { Socket } from 'socket.io-client';
import type { TestDatabase } from './support/database.js';
import { Follower } from './support/follower.js';
import { SmallBand } from './support/small-band.js';
import { startSyncApp, stockClient, syncDatabase, type SyncApp } from './support/sync-app.js';

interface Answer {
  bandId: string;
  settings: Record<string, unknown>;
  defaults: Record<string, unknown>;
  operationId: string | null;
}

const nothingChosen = {
  intervalSeconds: null,
  fileTypes: null,
  largestBytes: null,
  sameName: null,
  operationsPerMinute: null,
};

describe("a band's settings", () => {
  let database: TestDatabase;
  let band: SmallBand;
  let nodes: [SyncApp, SyncApp];
  const sockets: Socket[] = [];

  beforeEach(async () => {
    database = await syncDatabase();
    band = new SmallBand();
    band.join('tina', 'b1', 'trumpet');
    band.join('lea', 'b1', 'piano', 'leader');
    band.join('leo', 'b2', 'piano', 'leader');
    nodes = [await startSyncApp(database, {}, band), await startSyncApp(database, {}, band)];
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    for (const node of nodes) await node.close();
    await database.drop();
  });

  const call = (token: string, method: 'GET' | 'PUT', body?: unknown, bandId = 'b1', node = nodes[0]): Promise<Response> =>
    fetch(`${node.url}/sync/bands/${bandId}/settings`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  const errorOf = async (response: Response): Promise<WireError & { status: number }> => ({
    ...wireError.parse(((await response.json()) as { error: unknown }).error),
    status: response.status,
  });
  const choose = async (settings: unknown, node = nodes[0]): Promise<Answer> => {
    const response = await call('lea', 'PUT', settings, 'b1', node);
    expect(response.status).toBe(200);
    return (await response.json()) as Answer;
  };
  const chosen = async (node = nodes[0]): Promise<Answer> =>
    (await (await call('lea', 'GET', undefined, 'b1', node)).json()) as Answer;
  const follow = async (node = nodes[1]): Promise<Follower> => {
    const socket = stockClient(node.url, { token: 'tina' });
    sockets.push(socket);
    const follower = new Follower(socket, 'band:b1:Bb');
    await follower.subscribe();
    return follower;
  };
  /** Which files a device has, by name, after what it was told. */
  const shelf = ({ messages }: Follower): string[] => {
    const paths = new Map<string, string>();
    for (const { key, data } of messages) {
      if (data === null) paths.delete(key!);
      else paths.set(key!, (data as FileUpdate).path);
    }
    return [...paths.values()].sort();
  };
  const has = (follower: Follower, ...paths: string[]): Promise<void> =>
    follower.until((each) => String(shelf(each)) === String(paths));
  const save = (fileId: string, path: string, text: string, node = nodes[0]): Promise<string> =>
    node.save({ fileId, bandId: 'b1', path, audience: 'Bb', text });
  const done = async (operationId: string | null): Promise<SyncOperation> => {
    for (;;) {
      const found = await nodes[0].database.getRepository(SyncOperation).findOneByOrFail({ id: operationId! });
      if (found.status === 'completed') return found;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it('takes files of a type that is not wanted any more from the devices, and brings them back', async () => {
    const tina = await follow();
    await save('f1', 'Tune_Bb.pdf', 'part');
    await save('f2', 'Tune.MP3', 'recording');
    await save('f3', 'folder.mp3/README', 'no ending');
    await has(tina, 'Tune.MP3', 'Tune_Bb.pdf', 'folder.mp3/README');
    const { operationId } = await choose({ fileTypes: ['pdf'] });
    await has(tina, 'Tune_Bb.pdf');
    expect(await done(operationId)).toMatchObject({ mode: 'full', cause: 'settings', userId: 'lea', itemsFailed: 0 });
    await save('f4', 'New_Bb.pdf', 'new part', nodes[1]);
    await save('f5', 'New.mp3', 'new recording', nodes[1]);
    await has(tina, 'New_Bb.pdf', 'Tune_Bb.pdf');
    await choose({ fileTypes: ['mp3', 'pdf'] }, nodes[1]);
    await has(tina, 'New.mp3', 'New_Bb.pdf', 'Tune.MP3', 'Tune_Bb.pdf');
    await choose({ fileTypes: null });
    await has(tina, 'New.mp3', 'New_Bb.pdf', 'Tune.MP3', 'Tune_Bb.pdf', 'folder.mp3/README');
  });

  it('takes all but the newest of several files with one name from the devices, and brings them back', async () => {
    const tina = await follow();
    const older = { fileId: 'f1', bandId: 'b1', path: 'Tune (f1)_Bb.pdf', audience: 'Bb', text: 'older' };
    await nodes[0].save({ ...older, hasNewerNamesake: true });
    await save('f2', 'Tune_Bb.pdf', 'newer');
    await has(tina, 'Tune (f1)_Bb.pdf', 'Tune_Bb.pdf');
    expect(tina.messages.flatMap(({ data }) => Object.keys(data as object))).not.toContain('hasNewerNamesake');
    await choose({ sameName: 'newest' });
    await has(tina, 'Tune_Bb.pdf');
    await nodes[1].save({ ...older, path: 'Tune_Bb.pdf' });
    await has(tina, 'Tune_Bb.pdf', 'Tune_Bb.pdf');
    await nodes[1].save({ ...older, hasNewerNamesake: true });
    await has(tina, 'Tune_Bb.pdf');
    await choose({ sameName: 'all' }, nodes[1]);
    await has(tina, 'Tune (f1)_Bb.pdf', 'Tune_Bb.pdf');
  });

  it('takes a file that is too large from the devices, and brings it back when it may be as large', async () => {
    const tina = await follow();
    await save('f1', 'Tune_Bb.pdf', 'small');
    await save('f2', 'Other_Bb.pdf', 'rather large');
    await has(tina, 'Other_Bb.pdf', 'Tune_Bb.pdf');
    await choose({ largestBytes: 'small'.length });
    await has(tina, 'Tune_Bb.pdf');
    await save('f1', 'Tune_Bb.pdf', 'larger');
    await has(tina);
    await choose({ largestBytes: 'larger'.length });
    await has(tina, 'Tune_Bb.pdf');
    await choose({ largestBytes: null });
    await has(tina, 'Other_Bb.pdf', 'Tune_Bb.pdf');
  });

  it('neither reads nor keeps what the band does not want', async () => {
    const tina = await follow();
    // It reads what is saved meanwhile once more.
    await done((await choose({ fileTypes: ['pdf'] })).operationId);
    await save('f2', 'Tune.mp3', 'recording');
    await save('f1', 'Tune_Bb.pdf', 'part');
    await has(tina, 'Tune_Bb.pdf');
    expect(band.parsed).toEqual(['f1']);
  });

  it.each([
    ['takes', 'parse', null, ['mp3'], []],
    ['brings', 'forget', ['mp3'], null, ['Tune_Bb.pdf']],
  ] as const)('%s a file that was being worked on when the settings changed', async (_, asking, before, after, expected) => {
    const tina = await follow();
    await choose({ fileTypes: before });
    const question = band.delay(asking);
    await save('f1', 'Tune_Bb.pdf', 'part');
    await question.asked;
    const { operationId } = await choose({ fileTypes: after }, nodes[1]);
    question.answer();
    await done(operationId);
    await save('f2', 'Last.mp3', 'last');
    await tina.until(({ messages }) => messages.some(({ key }) => key === 'file:f2'));
    expect(tina.messages.filter(({ key }) => key === 'file:f1').map(({ data }) => (data as FileUpdate).path)).toEqual(
      expected,
    );
  });

  it('tells what is chosen and what the defaults are, on every node, and changes only what is given', async () => {
    const defaults = { ...nothingChosen, intervalSeconds: 300, sameName: 'all' };
    expect(await chosen()).toEqual({ bandId: 'b1', settings: nothingChosen, defaults });
    await choose({ intervalSeconds: 60, fileTypes: ['pdf', 'cho', 'pdf'] });
    const others = { largestBytes: 5_000_000_000, sameName: 'newest', operationsPerMinute: 30 };
    await choose(others, nodes[1]);
    const all = { ...others, intervalSeconds: 60, fileTypes: ['cho', 'pdf'] };
    expect(await chosen(nodes[0])).toEqual({ bandId: 'b1', settings: all, defaults });
    expect(await choose({ intervalSeconds: null, fileTypes: null })).toMatchObject({
      settings: { ...all, intervalSeconds: null, fileTypes: null },
    });
  });

  it('looks at every file again only where other files are wanted than before', async () => {
    expect((await choose({ fileTypes: ['pdf', 'mp3'] })).operationId).not.toBeNull();
    expect(
      (await choose({ fileTypes: ['mp3', 'pdf'], intervalSeconds: 30, operationsPerMinute: 5 })).operationId,
    ).toBeNull();
    expect((await choose({})).operationId).toBeNull();
    expect((await choose({ largestBytes: 5 })).operationId).not.toBeNull();
    expect((await choose({ sameName: 'all' })).operationId).toBeNull();
    expect((await choose({ sameName: 'newest' })).operationId).not.toBeNull();
    expect((await choose({ sameName: null })).operationId).not.toBeNull();
  });

  it.each([
    ['the settings', 'sync_band_setting', 'after insert or update'],
    ['the full sync', 'sync_operation', 'after insert'],
  ])('changes nothing and checks nothing where %s cannot be stored', async (_, table, event) => {
    await nodes[0].database.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
      create constraint trigger refused ${event} on ${table} deferrable initially deferred for each row execute function refuse();`);
    const { status } = await call('lea', 'PUT', { fileTypes: ['pdf'] });
    await nodes[0].database.query(`drop trigger refused on ${table}`);
    expect(status).toBe(500);
    expect((await chosen()).settings).toEqual(nothingChosen);
    expect(await nodes[0].database.getRepository(SyncOperation).findBy({ cause: 'settings' })).toEqual([]);
  });

  it('loses no change where several leaders change something at the same moment', async () => {
    band.join('lou', 'b1', 'bass', 'leader');
    await choose({});
    const changes = [
      { intervalSeconds: 20 },
      { fileTypes: ['pdf'] },
      { largestBytes: 9 },
      { sameName: 'newest' },
      { operationsPerMinute: 7 },
    ];
    await Promise.all(changes.map((change, nth) => call(['lea', 'lou'][nth % 2]!, 'PUT', change, 'b1', nodes[nth % 2])));
    expect((await chosen()).settings).toEqual(Object.assign({}, ...changes));
  });

  it.each([
    ['an interval of nothing', { intervalSeconds: 0 }, 'intervalSeconds'],
    ['an interval shorter than ten seconds', { intervalSeconds: 9 }, 'intervalSeconds'],
    ['half a second', { intervalSeconds: 10.5 }, 'intervalSeconds'],
    ['a text for a number', { largestBytes: '5 MB' }, 'largestBytes'],
    ['no type at all', { fileTypes: [] }, 'fileTypes'],
    ['a type with its dot', { fileTypes: ['.pdf'] }, 'fileTypes'],
    ['a NUL', { fileTypes: ['pdf\0'] }, 'fileTypes'],
    ['more bytes than numbers count', { largestBytes: 1e300 }, 'largestBytes'],
    ['no operation at all', { operationsPerMinute: 0 }, 'operationsPerMinute'],
    ['a choice that there is not', { sameName: 'oldest' }, 'sameName'],
    ['what is no setting', { conflictPolicy: 'newest' }, 'conflictPolicy'],
    ['a list', [], 'object'],
  ])('refuses %s, says what does not fit, and changes nothing', async (_, body, named) => {
    const error = await errorOf(await call('lea', 'PUT', body));
    expect(error).toMatchObject({ status: 400, code: 'request_invalid' });
    expect(error.message).toContain(named);
    expect((await chosen()).settings).toEqual(nothingChosen);
  });

  it('is for leaders of the band', async () => {
    for (const method of ['GET', 'PUT'] as const) {
      const body = method === 'PUT' ? { intervalSeconds: 60 } : undefined;
      expect(await errorOf(await call('tina', method, body))).toMatchObject({ status: 403, code: 'leader_only' });
      expect(await errorOf(await call('leo', method, body))).toMatchObject({ status: 403, code: 'band_forbidden' });
      expect(await errorOf(await call('lea', method, body, 'b%00'))).toMatchObject({ code: 'band_forbidden' });
      expect(await errorOf(await call('nobody', method, body))).toMatchObject({ status: 401, code: 'token_invalid' });
    }
    expect((await chosen()).settings).toEqual(nothingChosen);
  });
});
