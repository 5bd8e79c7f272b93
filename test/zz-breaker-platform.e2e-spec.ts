import { writeFile, rename, rm, mkdir } from 'node:fs/promises';
import { join, dirname } from 'node:path';
import { DataSource } from 'typeorm';
import { Follower } from './support/follower.js';
import { stockClient } from './support/sync-app.js';
import { startPlatform, type TestPlatform } from './support/platform.js';
const tick = (ms: number) => new Promise((r) => setTimeout(r, ms));
describe('breaker: platform', () => {
  let p: TestPlatform;
  let admin: DataSource;
  beforeEach(async () => {
    p = await startPlatform();
    admin = new DataSource({ type: 'postgres', url: p.database.url });
    await admin.initialize();
  });
  afterEach(async () => {
    await admin.destroy();
    await p.close();
  });
  const stall = async () => {
    const r = admin.createQueryRunner();
    await r.startTransaction();
    await r.query('lock table sync_operation in exclusive mode');
    return async () => {
      await r.rollbackTransaction();
      await r.release();
    };
  };
  const drive = (): Promise<any[]> => admin.query(`select * from drive_file`);

  it('Q1 undo of a save during a stall: what devices hold can still be opened', async () => {
    const token = await p.signIn('lea');
    const channels = ((await (await p.call('/sync/channels', { token })).json()) as any).channels as string[];
    const path = join(p.libraryDir, 'Amazing Grace_G.cho');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '{title: Amazing Grace}\n[G]Amazing');
    const socket = stockClient(p.url, { token });
    const fs = channels.map((c) => new Follower(socket, c));
    for (const f of fs) await f.subscribe();
    let held: any;
    for (let i = 0; i < 200 && !held; i++) {
      await tick(50);
      held = fs.flatMap((f) => f.messages).find((m) => m.type === 'file_update');
    }
    const go = await stall();
    const rev = async () => JSON.stringify((await drive()).map((r) => r.revision));
    const r0 = await rev();
    await writeFile(path, '{title: Amazing Grace}\n[G]Amazing B');
    for (let i = 0; i < 100 && (await rev()) === r0; i++) await tick(50);
    const r1 = await rev();
    await writeFile(path, '{title: Amazing Grace}\n[G]Amazing');
    for (let i = 0; i < 100 && (await rev()) === r1; i++) await tick(50);
    const r2 = await rev();
    await go();
    await tick(3000);
    const last: any = fs
      .flatMap((f) => f.messages)
      .filter((m) => m.type === 'file_update')
      .at(-1);
    const answer = await p.call(`/files/${last.data.fileId}/content?revision=${last.data.revision}`, { token });
    socket.disconnect();
    expect({
      revisions: [r0, r1, r2],
      heldRevision: last.data.revision,
      status: answer.status,
      body: (await answer.text()).slice(0, 80),
    }).toMatchObject({ status: 200 });
  });

  it('Q2 bytes of a file that was given to another part are not served to the old one, stall or not', async () => {
    const trumpet = await p.signIn('tina').catch(() => '');
    const token = trumpet;
    const me = await (await p.call('/auth/me', { token })).text();
    const channels = ((await (await p.call('/sync/channels', { token })).json()) as any).channels as string[];
    const a = join(p.libraryDir, 'Amazing Grace_Bb.cho');
    const b = join(p.libraryDir, 'Amazing Grace_Eb.cho');
    await writeFile(a, '{title: Amazing Grace}\n[G]for Bb');
    const socket = stockClient(p.url, { token });
    const fs = channels.map((c) => new Follower(socket, c));
    for (const f of fs) await f.subscribe();
    let held: any;
    for (let i = 0; i < 100 && !held; i++) {
      await tick(50);
      held = fs.flatMap((f) => f.messages).find((m) => m.type === 'file_update');
    }
    const go = await stall();
    const snap = async () => JSON.stringify(await drive());
    const s0 = await snap();
    await rename(a, b);
    for (let i = 0; i < 100 && (await snap()) === s0; i++) await tick(50);
    const s1 = await snap();
    await writeFile(b, '{title: Amazing Grace}\n[G]SECRET for Eb');
    for (let i = 0; i < 100 && (await snap()) === s1; i++) await tick(50);
    const files = (await drive()).map((f) => ({ id: f.file_id ?? f.id, path: f.path, rev: f.revision }));
    const answer = held ? await p.call(`/files/${held.data.fileId}/content`, { token }) : null;
    const text = answer ? await answer.text() : 'no file';
    await go();
    socket.disconnect();
    void rm;
    expect({ me: me.slice(0, 80), channels, held: held?.data?.path, heldId: held?.data?.fileId, files, text }).toMatchObject(
      { text: expect.not.stringContaining('SECRET') },
    );
  });
});
