import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SyncClient } from '@soleil/sync-client';
import type { FileUpdate, Message } from '@soleil/sync-protocol';
import { Socket as Line } from 'engine.io-client';
import type { Socket } from 'socket.io-client';
import { Follower } from './support/follower.js';
import { startPlatform, type TestPlatform } from './support/platform.js';
import { stockClient } from './support/sync-app.js';

/** One song's chart; `words` tells one version from another. */
const chart = (words: string): string => `{title: Blue Bells}\n{key: F}\n\n[F]${words} [C7]by the [F]sea\n`;

describe('from a saved file to every entitled screen', () => {
  let platform: TestPlatform;
  const sockets: Socket[] = [];
  const clients: SyncClient[] = [];

  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.disconnect();
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });
  afterAll(() => platform.close());

  const save = (name: string, content: string): Promise<void> => writeFile(join(platform.libraryDir, name), content);
  const follow = async (login: string, audience = '', position?: { epoch: string; offset: number }): Promise<Follower> => {
    const socket = stockClient(platform.url, { token: await platform.signIn(login) });
    sockets.push(socket);
    const follower = new Follower(socket, `band:${platform.bandId}${audience}`);
    expect(await follower.subscribe(position)).toMatchObject({ ok: true });
    return follower;
  };
  const data = (message: Message | undefined): FileUpdate => message!.data as FileUpdate;
  const paths = (follower: Follower): string[] => follower.messages.map((message) => data(message)?.path ?? 'gone');
  const has = (path: string) => (follower: Follower) => paths(follower).includes(path);

  it('brings a saved chart to both members, gap-free and in one order', async () => {
    const [tina, alma] = [await follow('tina'), await follow('alma')];
    const before = tina.position?.offset ?? 0;
    await save('Blue Bells_Concert.cho', chart('Bluebells'));
    await Promise.all([tina.until(has('Blue Bells_Concert.cho')), alma.until(has('Blue Bells_Concert.cho'))]);
    const update = tina.messages.at(-1);
    expect(update).toMatchObject({
      type: 'file_update',
      data: { content: { kind: 'chart', title: 'Blue Bells', readable: true } },
    });
    expect(update).toEqual(alma.messages.at(-1));
    for (const n of [1, 2, 3]) {
      await save('Blue Bells_Concert.cho', chart(`Verse ${n}`));
      const count = tina.messages.length;
      await tina.count(count + 1);
    }
    await alma.count(tina.messages.length);
    const offsets = tina.messages.map(({ offset }) => offset).filter((offset) => offset > before);
    expect(offsets).toEqual(offsets.map((_, nth) => before + 1 + nth));
    expect(alma.messages.map(({ id }) => id)).toEqual(tina.messages.map(({ id }) => id));
  });

  it('keeps a part to its readers: a B flat part reaches the trumpeter and the leader, not the saxophonist', async () => {
    const [tina, alma, lea] = [await follow('tina', ':Bb'), await follow('alma', ':Eb'), await follow('lea', ':Bb')];
    await save('Blue Bells_Bb.pdf', '%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj\ntrailer <<>>\n%%EOF\n');
    await Promise.all([tina.until(has('Blue Bells_Bb.pdf')), lea.until(has('Blue Bells_Bb.pdf'))]);
    await save('Blue Bells_Eb.pdf', '%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj\ntrailer <<>>\n%%EOF\n');
    await alma.until(has('Blue Bells_Eb.pdf'));
    expect(paths(alma)).toEqual(['Blue Bells_Eb.pdf']);
    expect(paths(tina)).toEqual(['Blue Bells_Bb.pdf']);
    const stranger = stockClient(platform.url, { token: await platform.signIn('alma') });
    sockets.push(stranger);
    expect(await new Follower(stranger, `band:${platform.bandId}:Bb`).subscribe()).toMatchObject({
      ok: false,
      error: { code: 'channel_forbidden' },
    });
  });

  it('brings exactly the three changes that a device missed, in order, once', async () => {
    for (const n of [1, 2, 3]) await save(`Missed ${n}_Concert.cho`, chart(`before ${n}`));
    const before = await follow('tina');
    await before.until((follower) => [1, 2, 3].every((n) => has(`Missed ${n}_Concert.cho`)(follower)));
    const position = before.position!;
    before.socket.disconnect();
    const witness = await follow('pete');
    for (const n of [1, 2, 3]) {
      await save(`Missed ${n}_Concert.cho`, chart(`after ${n}`));
      await witness.until((follower) => (follower.position?.offset ?? 0) >= position.offset + n);
    }
    const after = await follow('tina', '', position);
    await after.count(3);
    await save('Live again_Concert.cho', chart('live'));
    await after.until(has('Live again_Concert.cho'));
    expect(paths(after)).toEqual([
      'Missed 1_Concert.cho',
      'Missed 2_Concert.cho',
      'Missed 3_Concert.cho',
      'Live again_Concert.cho',
    ]);
    expect(after.messages.map(({ offset }) => offset)).toEqual([1, 2, 3, 4].map((n) => position.offset + n));
  });

  it('gives a device that was never here the present state by the same road', async () => {
    await save('Gone soon_Concert.cho', chart('gone'));
    const witness = await follow('pete');
    await witness.until(has('Gone soon_Concert.cho'));
    await rm(join(platform.libraryDir, 'Gone soon_Concert.cho'));
    await witness.until((follower) => follower.messages.at(-1)?.data === null);
    await rename(join(platform.libraryDir, 'Live again_Concert.cho'), join(platform.libraryDir, 'Renamed_Concert.cho'));
    await witness.until(has('Renamed_Concert.cho'));

    const fresh = await follow('tina');
    await fresh.until((follower) => follower.position?.offset === witness.position?.offset);
    expect(paths(fresh)).not.toContain('Gone soon_Concert.cho');
    expect(paths(fresh)).not.toContain('Live again_Concert.cho');
    expect(new Set(paths(fresh)).size).toBe(paths(fresh).length);
    const listed = (await (await platform.call('/library', { token: await platform.signIn('tina') })).json()) as {
      bands: { songs: { files: { path: string; content: { audience: string | null } }[] }[] }[];
    };
    const wanted = listed.bands[0]!.songs.flatMap(({ files }) => files).filter(({ content }) => content.audience === null);
    expect(paths(fresh).sort()).toEqual(wanted.map(({ path }) => path).sort());
  });

  it('loses nothing that happens while the server is down', async () => {
    const before = await follow('tina');
    await before.until(has('Renamed_Concert.cho'));
    const position = before.position!;
    await platform.stop();
    await save('While down_Concert.cho', chart('down'));
    await save('Blue Bells_Concert.cho', chart('changed while down'));
    await rm(join(platform.libraryDir, 'Renamed_Concert.cho'));
    await platform.restart();
    const after = await follow('tina', '', position);
    await after.count(3);
    expect(after.messages.map((message) => data(message)?.path ?? 'gone').sort()).toEqual([
      'Blue Bells_Concert.cho',
      'While down_Concert.cho',
      'gone',
    ]);
    expect(after.messages.map(({ offset }) => offset)).toEqual([1, 2, 3].map((n) => position.offset + n));
  });

  it('serves our own client: live, cut, and caught up by itself', async () => {
    const token = await platform.signIn('tina');
    const client = new SyncClient({ url: platform.url, token });
    clients.push(client);
    const channel = `band:${platform.bandId}`;
    const seen: string[] = [];
    client.onMessage((_, message) => seen.push(data(message)?.path ?? 'gone'));
    client.follow(channel);
    client.connect();
    await client.waitFor('live');
    const rows = client.channel(channel).rows.size;
    expect(rows).toBeGreaterThan(3);
    client.disconnect();
    const witness = await follow('pete');
    await witness.until((follower) => follower.messages.length >= rows);
    const head = witness.position!.offset;
    for (const n of [1, 2, 3]) await save(`Cut ${n}_Concert.cho`, chart(`cut ${n}`));
    await witness.until(({ position }) => position!.offset >= head + 3);
    seen.length = 0;
    client.connect();
    await client.waitFor('live');
    expect(seen.sort()).toEqual(['Cut 1_Concert.cho', 'Cut 2_Concert.cho', 'Cut 3_Concert.cho']);
    expect(client.channel(channel).rows.size).toBe(rows + 3);
  });

  it('keeps no line that only talks to Socket.IO’s root namespace, where nobody is asked who they are', async () => {
    const line = new Line(platform.url, { path: '/socket.io/', transports: ['websocket'] });
    const told: string[] = [];
    line.on('message', (packet: string) => void told.push(packet));
    line.on('open', () => line.send('0'));
    await new Promise((resolve) => line.on('close', resolve));
    expect(told).toEqual([expect.stringContaining('Connect to the namespace /sync.')]);
  });
});
