import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bandId, DriveRig } from '../test/drive-rig.js';

let rig: DriveRig;
afterEach(() => rig.tearDown());

it('tells at the next start what changed while the platform was down', async () => {
  rig = await DriveRig.running();
  for (const name of ['kept', 'edited', 'deleted', 'renamed']) await rig.write(`${name}.cho`, `words of ${name}`);
  await rig.settled();
  const { fileId } = await rig.file('renamed.cho');
  await rig.platforms[0]!.stop();
  rig.audience.told = [];

  await rig.write('edited.cho', 'other words');
  await rm(rig.at('deleted.cho'));
  await rig.move('renamed.cho', 'new name.cho');
  await rig.write('added.cho', 'new');
  await rig.boot();
  await rig.settled();

  expect(rig.told.sort()).toEqual([
    'added added.cho 1',
    'changed edited.cho 2',
    'changed new name.cho 2',
    'removed deleted.cho 2',
  ]);
  expect((await rig.file('new name.cho')).fileId).toBe(fileId);
});

it('has nothing to tell at the next start when nothing changed', async () => {
  rig = await DriveRig.running();
  await rig.write('a.cho', 'a');
  await rig.settled();
  await rig.platforms[0]!.stop();
  const platform = await rig.boot();
  expect(await platform.drive.rescan(bandId)).toEqual({ changes: 0, found: [] });
  expect(rig.told).toEqual(['added a.cho 1']);
});

it('tells what was committed but not told when the platform died', async () => {
  rig = await DriveRig.running();
  rig.audience.beforeReceipt = () => {
    throw new Error('Sync is down');
  };
  await rig.write('a.cho', 'a');
  await rig.write('b.cho', 'b');
  await rig.drive.rescan(bandId);
  expect(await rig.drive.status(bandId)).toMatchObject({ files: 2, pendingChanges: 2 });
  await rig.platforms[0]!.stop();
  expect(rig.told).toEqual([]);

  rig.audience.beforeReceipt = () => undefined;
  await rig.boot();
  await rig.audience.until((told) => told.length === 2);
  expect(rig.told.sort()).toEqual(['added a.cho 1', 'added b.cho 1']);
});

it('takes over the telling from a process that died while it held the lease', async () => {
  rig = await DriveRig.build({ tellLeaseMs: 300 });
  await rig.boot();
  await rig.platforms[0]!.stop();
  await rig.boot();
  await rig.query(
    `update drive_cursor set teller = gen_random_uuid(), leased_until = clock_timestamp() + interval '300 ms'`,
  );
  await rig.write('a.cho', 'a');
  await rig.audience.until((told) => told.length === 1);
  expect(rig.told).toEqual(['added a.cho 1']);
});

it('comes up without the folder, says so, and finds it as soon as it is there', async () => {
  rig = await DriveRig.build({ folderRetryMs: 100 });
  await rm(rig.root, { recursive: true });
  await rig.start();
  await expect(rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'folder_missing', status: 503, retryable: true });
  expect(await rig.drive.status(bandId)).toMatchObject({
    state: 'folder_missing',
    error: { code: 'folder_missing' },
    lastScanAt: null,
  });

  await rig.write('a.cho', 'a');
  await rig.audience.until((told) => told.length === 1);
  await rig.settled();
  expect(await rig.drive.status(bandId)).toMatchObject({
    provider: 'folder',
    state: 'watching',
    error: null,
    files: 1,
    pendingChanges: 0,
  });
});

it('takes no file for removed when the whole folder disappears', async () => {
  rig = await DriveRig.running({ folderRetryMs: 50 });
  await rig.write('a.cho', 'a');
  await rig.write('set/b.cho', 'b');
  await rig.settled();
  const away = join(rig.outside, 'away');
  await rename(rig.root, away);
  await expect(rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'folder_missing' });
  expect(await rig.drive.status(bandId)).toMatchObject({ state: 'folder_missing', files: 2 });

  await rename(away, rig.root);
  await rig.write('set/b.cho', 'edited');
  await rig.audience.until((told) => told.length === 3);
  await rig.settled();
  expect(rig.told.slice(0, 2).sort()).toEqual(['added a.cho 1', 'added set/b.cho 1']);
  expect(rig.told.slice(2)).toEqual(['changed set/b.cho 2']);
});

it('takes no file for removed when an empty folder is where the share was mounted', async () => {
  rig = await DriveRig.running({ folderRetryMs: 50 });
  await rig.write('a.cho', 'a');
  await rig.settled();
  const away = join(rig.outside, 'away');
  await rename(rig.root, away);
  await mkdir(rig.root);
  await expect(rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'folder_missing' });
  await rig.platforms[0]!.stop();
  await rig.start();
  await expect(rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'folder_missing' });
  expect(await rig.paths()).toEqual(['a.cho']);

  await rm(rig.root, { recursive: true });
  await rename(away, rig.root);
  await rig.settled();
  expect(rig.told).toEqual(['added a.cho 1']);
});

it('goes over to the files of another folder when the band is connected to it', async () => {
  rig = await DriveRig.running();
  await rig.write('a.cho', 'a');
  await rig.settled();
  await rig.write('../other/b.cho', 'b');
  await rig.drive.connectFolder({ bandId, root: join(rig.outside, 'other') });
  await rig.settled();
  expect(rig.told.slice(1).sort()).toEqual(['added b.cho 1', 'removed a.cho 2']);
});

it('takes nothing from the folder of before when another process has connected the band elsewhere, and goes there too', async () => {
  rig = await DriveRig.running();
  await rig.write('../other/b.cho', 'b');
  const [first] = rig.platforms;
  const settings = { root: rig.at('../other') };
  await rig.start({ bandId, provider: 'folder', settings });
  await rig.settled();
  await rig.write('a.cho', 'a');
  // Its watcher may have been the first to find that out.
  await first!.drive.rescan(bandId).catch((error: unknown) => expect(error).toMatchObject({ code: 'folder_missing' }));
  expect(await rig.paths()).toEqual(['b.cho']);

  await rig.platforms.at(-1)!.stop();
  await rig.write('../other/c.cho', 'c');
  await first!.drive.rescan(bandId);
  expect((await first!.drive.files(bandId)).map(({ path }) => path)).toEqual(['b.cho', 'c.cho']);
});

it('refuses a band it does not know and a folder it could not find again', async () => {
  rig = await DriveRig.running();
  await expect(rig.drive.rescan('nobody')).rejects.toMatchObject({ code: 'band_unknown', status: 404 });
  await expect(rig.drive.status('nobody')).rejects.toMatchObject({ code: 'band_unknown' });
  await expect(rig.drive.connectFolder({ bandId, root: 'relative/folder' })).rejects.toMatchObject({
    code: 'settings_invalid',
  });
  await expect(rig.drive.connect({ bandId, provider: 'moon', settings: {} })).rejects.toMatchObject({
    code: 'provider_unknown',
  });
});

it('forgets changes that were told long ago, and no other', async () => {
  rig = await DriveRig.running();
  await rig.write('a.cho', 'a');
  await rig.settled();
  await rig.query(`update drive_change set at = now() - interval '31 days'`);
  await rig.write('b.cho', 'b');
  await rig.settled();
  await rig.drive.rescan(bandId);
  expect(await rig.query('select path from drive_change')).toEqual([{ path: 'b.cho' }]);
  expect(await rig.paths()).toEqual(['a.cho', 'b.cho']);
});
