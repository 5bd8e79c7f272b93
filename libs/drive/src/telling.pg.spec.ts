import { jest } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DriveError } from '@soleil/drive';
import { bandId, DriveRig } from '../test/drive-rig.js';
import { Stop } from './pause.js';
import { waitMs } from './teller.js';

let rig: DriveRig;
afterEach(() => {
  jest.restoreAllMocks();
  return rig.tearDown();
});

it('tells the changes of one file in their order, and the cursor follows the receipts', async () => {
  rig = await DriveRig.running();
  for (const content of ['one', 'two', 'three']) {
    await rig.write('a.cho', content);
    await rig.drive.rescan(bandId);
  }
  await rig.toldAll();
  expect(rig.told).toEqual(['added a.cho 1', 'changed a.cho 2', 'changed a.cho 3']);
  await rig.platforms[0]!.stop();
  const platform = await rig.start();
  expect(await platform.drive.status(bandId)).toMatchObject({ pendingChanges: 0 });
});

it('tells at once what is committed while it gives the lease back, as if nobody else told', async () => {
  rig = await DriveRig.running();
  await rig.query(
    `create function commit_another() returns trigger language plpgsql as $$ begin
       insert into drive_change (band_id, file_id, kind, path, revision)
       select band_id, file_id, 'changed', path, 2 from drive_change where (select count(*) from drive_change) = 1;
       return new;
     end $$`,
  );
  await rig.query(
    `create trigger commits_another before update on drive_cursor for each row
     when (old.teller is not null and new.teller is null) execute function commit_another()`,
  );
  const pause = jest.spyOn(Stop.prototype, 'pause');
  await rig.write('a.cho', 'one');
  await rig.audience.until((told) => told.length === 2);
  expect(rig.told).toEqual(['added a.cho 1', 'changed a.cho 2']);
  expect(pause).not.toHaveBeenCalledWith(waitMs);
});

it('tells a change again until it has a receipt, with the same event id, and nothing of that file before', async () => {
  rig = await DriveRig.running();
  const attempts: string[] = [];
  rig.audience.beforeReceipt = ({ eventId, path }) => {
    if (path !== 'a.cho') return;
    attempts.push(eventId);
    if (attempts.length < 4) throw new DriveError('revision_gone', 'not yet');
  };
  await rig.write('a.cho', 'one');
  await rig.drive.rescan(bandId);
  await rig.write('a.cho', 'two');
  await rig.toldAll();
  await rig.settled();

  expect(rig.told).toEqual(['added a.cho 1', 'changed a.cho 2']);
  expect(new Set(attempts.slice(0, 4)).size).toBe(1);
  expect(attempts).toHaveLength(5);
});

it('backs off from a listener that is down, though new changes keep coming', async () => {
  rig = await DriveRig.running();
  let attempts = 0;
  rig.audience.beforeReceipt = () => {
    attempts += 1;
    throw new Error('down');
  };
  const begun = performance.now();
  for (let n = 0; n < 10; n += 1) {
    await rig.write(`song ${n}.cho`, 'x');
    await rig.drive.rescan(bandId);
  }
  const rounds = Math.ceil((performance.now() - begun) / 100) + 1;
  // Each round tells at most what is there, and no two rounds are less than a tenth of a second apart.
  expect(attempts).toBeLessThanOrEqual(rounds * 10);
  rig.audience.beforeReceipt = () => undefined;
  // Another change ends the pause, of five seconds by now.
  await rig.write('song 10.cho', 'x');
  await rig.audience.until((told) => told.length === 11);
});

it('does not tell again, in the same process, what had its receipt while another file failed', async () => {
  rig = await DriveRig.running();
  let failures = 0;
  rig.audience.beforeReceipt = ({ path }) => {
    if (path === 'a.cho' && (failures += 1) < 3) throw new Error('down');
  };
  await Promise.all(['a.cho', 'b.cho', 'c.cho'].map((path) => rig.write(path, path)));
  await rig.settled();
  expect(rig.told.sort()).toEqual(['added a.cho 1', 'added b.cho 1', 'added c.cho 1']);
});

it('tells several files at once', async () => {
  rig = await DriveRig.running();
  rig.audience.beforeReceipt = () => {
    throw new Error('not before all are committed');
  };
  await Promise.all(Array.from({ length: 20 }, (_, n) => rig.write(`${n}.cho`, `${n}`)));
  await rig.drive.rescan(bandId);

  const hearing = new Set<string>();
  let hearsAll: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (hearsAll = resolve));
  rig.audience.beforeReceipt = async ({ fileId }) => {
    if (hearing.add(fileId).size === 20) hearsAll();
    await all;
  };
  await rig.audience.until((told) => told.length === 20);
  expect(rig.told.length).toBe(20);
});

it('watches a band that another process has connected, and goes over to where another one connects it', async () => {
  rig = await DriveRig.running();
  const [here, there] = [rig.drive, (await rig.boot()).drive];
  const folder = async (name: string, file: string): Promise<string> => {
    const root = join(rig.outside, name);
    await mkdir(root);
    await writeFile(join(root, file), file);
    return root;
  };
  await here.connectFolder({ bandId: 'b2', root: await folder('first place', 'song.cho') });
  await there.rescan('b2');
  expect((await there.files('b2')).map(({ path }) => path)).toEqual(['song.cho']);
  await here.connectFolder({ bandId: 'b2', root: await folder('second place', 'tune.cho') });
  expect(await there.connectedBands()).toContain('b2');
  await there.rescan('b2');
  expect((await there.files('b2')).map(({ path }) => path)).toEqual(['tune.cho']);
});

it('lets several processes share one folder and one database', async () => {
  rig = await DriveRig.running();
  await rig.boot();
  await rig.boot();
  const names = Array.from({ length: 20 }, (_, n) => `song ${n}.cho`);
  await Promise.all(names.map((name) => rig.write(name, name)));
  await Promise.all(rig.platforms.map((platform) => platform.drive.rescan(bandId)));
  await rig.toldAll();
  await rig.move('song 0.cho', 'renamed.cho');
  await Promise.all(rig.platforms.map((platform) => platform.drive.rescan(bandId)));
  await rig.toldAll();

  expect(await rig.query('select kind, count(*)::int as count from drive_change group by kind order by kind')).toEqual([
    { kind: 'added', count: 20 },
    { kind: 'changed', count: 1 },
  ]);
  expect(new Set(rig.told)).toEqual(new Set([...names.map((name) => `added ${name} 1`), 'changed renamed.cho 2']));
});
