import { GoogleDriveProvider } from '@soleil/drive';
import { ApiError } from '../../../../test/fake-drive/api-error.js';
import { bandId } from '../../test/drive-rig.js';
import { GoogleRig } from '../../test/google-rig.js';

const email = 'sync@band-project.iam.gserviceaccount.com';

let google: GoogleRig;
afterEach(() => google.tearDown());

it('lists the folder with all below it, and nothing beside it', async () => {
  google = await GoogleRig.build();
  google.put('a.cho', 'a');
  google.put('b.cho', 'b', google.fake.folder('set two', google.fake.folder('sets', google.folder)));
  google.fake.put('elsewhere.cho', 'c');
  await google.start();
  await google.settled();

  expect(google.news()).toEqual(['added a.cho 1', 'added sets/set two/b.cho 1']);
  expect(await google.bytesOf('sets/set two/b.cho')).toBe('b');
  expect(await google.rig.drive.status(bandId)).toMatchObject({
    provider: 'google',
    state: 'watching',
    error: null,
    files: 2,
    pendingChanges: 0,
  });
});

it('hears of what is added, edited, trashed and deleted from the change list alone', async () => {
  google = await GoogleRig.running();
  const { fake } = google;
  const [edited, trashed, deleted] = ['edited', 'trashed', 'deleted'].map((name) => google.put(`${name}.cho`, 'one'));
  await google.settled();
  google.news();
  const listings = google.asked('files.list');

  google.put('added.cho', 'new');
  fake.write(edited!, 'two');
  fake.trash(trashed!);
  fake.delete(deleted!);
  await google.settled();
  expect(google.news()).toEqual([
    'added added.cho 1',
    'changed edited.cho 2',
    'removed deleted.cho 2',
    'removed trashed.cho 2',
  ]);
  expect(await google.bytesOf('edited.cho')).toBe('two');

  fake.untrash(trashed!);
  await google.settled();
  expect(google.news()).toEqual(['added trashed.cho 3']);
  expect(google.asked('files.list')).toBe(listings);
});

it('takes no news from what was only looked at, or changed elsewhere', async () => {
  google = await GoogleRig.running();
  const id = google.put('a.cho', 'a');
  await google.settled();
  google.news();
  google.fake.write(id, 'a');
  google.fake.put('elsewhere.cho', 'b');
  await google.settled();
  expect(google.news()).toEqual([]);
});

it('asks for changes by itself, now and then', async () => {
  google = await GoogleRig.running({ google: { pollIntervalMs: 20 } });
  google.put('a.cho', 'a');
  await google.rig.audience.until((told) => told.length === 1);
  expect(google.news()).toEqual(['added a.cho 1']);
});

it('goes on after a restart from the page token that was committed, without listing anything', async () => {
  google = await GoogleRig.running();
  google.put('kept.cho', 'kept');
  const edited = google.put('edited.cho', 'edited');
  const folder = google.fake.folder('set', google.folder);
  google.put('b.cho', 'b', folder);
  await google.settled();
  google.news();
  const listings = google.asked('files.list');
  await google.rig.platforms.at(-1)!.stop();
  google.fake.write(edited, 'other words');
  google.fake.rename(folder, 'set two');

  await google.start();
  await google.settled();
  expect(google.news()).toEqual(['changed edited.cho 2', 'changed set two/b.cho 2']);
  expect(google.asked('files.list')).toBe(listings);
});

it('reads a change list of several pages to its end', async () => {
  google = await GoogleRig.running();
  const ids = Array.from({ length: 1_200 }, (_, n) => google.put(`${n}.cho`, `words ${n}`));
  const asked = google.asked('changes.list');
  await google.settled();
  expect(google.asked('changes.list') - asked).toBeGreaterThanOrEqual(2);
  expect(await google.rig.paths()).toHaveLength(ids.length);
});

it('goes on within a change list of several pages, each of which finds its access token expired', async () => {
  google = await GoogleRig.running();
  const { fake } = google;
  for (let n = 0; n < 2_001; n += 1) google.put(`${n}.cho`, `words ${n}`);
  const asked = google.asked('token');
  const log = fake.changeLog();
  const page = log.page.bind(log);
  log.page = (...args) => {
    fake.credentials.expireAccessTokens();
    return page(...args);
  };
  await google.settled();
  expect(google.asked('token') - asked).toBeGreaterThanOrEqual(2);
  expect(new Set(google.news()).size).toBe(2_001);
});

it('takes no news from what left the folder and came back between two looks, and takes another file of its name for it', async () => {
  google = await GoogleRig.running();
  const { fake, folder } = google;
  const a = google.put('a.cho', 'a');
  const b = google.put('b.cho', 'b');
  await google.settled();
  google.news();
  fake.move(a, fake.rootOf(fake.band.email));
  fake.move(a, folder);
  fake.delete(b);
  google.put('b.cho', 'other words');
  await google.settled();
  expect(google.news()).toEqual(['changed b.cho 2']);
  expect(await google.bytesOf('b.cho')).toBe('other words');
});

it('is not harmed by a change list that repeats itself or goes backwards', async () => {
  google = await GoogleRig.running();
  const a = google.put('a.cho', 'one');
  const b = google.put('b.cho', 'b');
  await google.settled();
  google.fake.write(a, 'two');
  google.fake.trash(b);
  await google.settled();
  google.news();

  google.fake.changeLog().repeats = 100;
  google.put('c.cho', 'c');
  await google.settled();
  google.fake.changeLog().lags = 100;
  google.put('d.cho', 'd');
  await google.settled();
  await google.settled();
  expect(google.news()).toEqual(['added c.cho 1', 'added d.cho 1']);
});

it('reads no change list in circles: says that Drive does not answer as it should, and goes on when it does', async () => {
  google = await GoogleRig.running();
  const log = google.fake.changeLog();
  const page = log.page.bind(log);
  log.page = (pageToken, ...rest) => ({ changes: page(pageToken, ...rest).changes, nextPageToken: pageToken });
  google.put('a.cho', 'a');
  await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'drive_unreachable', retryable: true });
  log.page = page;
  await google.settled();
  expect(google.news()).toEqual(['added a.cho 1']);
});

it('lists no folder in circles: says that Drive does not answer as it should, takes nothing for gone, and goes on when it does', async () => {
  google = await GoogleRig.running();
  const set = google.fake.folder('set', google.folder);
  google.put('a.cho', 'a', set);
  google.put('b.cho', 'b');
  await google.settled();
  google.news();
  google.fake.changeLog().expireTokens();
  google.put('c.cho', 'c', google.fake.folder('another set', google.folder));
  google.fake.files.listsInCircles = true;
  await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'drive_unreachable', retryable: true });
  expect(await google.rig.drive.status(bandId)).toMatchObject({
    state: 'watching',
    files: 2,
    error: { code: 'drive_unreachable', message: 'Google Drive lists a folder in circles.' },
  });
  google.fake.files.listsInCircles = false;
  await google.settled();
  expect(google.news()).toEqual(['added another set/c.cho 1']);
});

it('lists everything when Drive cannot go on from its page token, and finds what happened meanwhile', async () => {
  google = await GoogleRig.running();
  const { fake } = google;
  const [edited, deleted, renamed] = ['edited', 'deleted', 'renamed'].map((name) => google.put(`${name}.cho`, name));
  await google.settled();
  google.news();
  const { fileId } = await google.rig.file('renamed.cho');
  fake.write(edited!, 'other');
  fake.delete(deleted!);
  fake.rename(renamed!, 'new name.cho');
  google.put('added.cho', 'new');
  fake.changeLog().expireTokens();
  await google.settled();

  expect(google.news()).toEqual([
    'added added.cho 1',
    'changed edited.cho 2',
    'changed new name.cho 2',
    'removed deleted.cho 2',
  ]);
  expect((await google.rig.file('new name.cho')).fileId).toBe(fileId);
});

it('forgets, when everything is listed, changes that were told long ago and exports that no file has', async () => {
  google = await GoogleRig.running();
  const doc = google.fake.googleDoc('doc', '%PDF one', google.folder);
  await google.settled();
  google.fake.editGoogleDoc(doc, '%PDF two');
  await google.settled();
  await google.rig.query(`update drive_change set at = now() - interval '31 days'`);
  await google.rig.query(`update drive_export set made_at = now() - interval '2 days'`);
  google.fake.changeLog().expireTokens();
  await google.settled();
  expect(await google.rig.query('select path from drive_change')).toEqual([]);
  expect(await google.rig.query('select size from drive_file join drive_export using (band_id, hash)')).toHaveLength(1);
  expect(await google.rig.query('select hash from drive_export')).toHaveLength(1);
  expect(await google.bytesOf('doc.pdf')).toBe('%PDF two');
});

it('misses nothing that happens while everything is listed for the first time', async () => {
  google = await GoogleRig.build();
  const { fake } = google;
  const from = fake.folder('from', google.folder);
  const to = fake.folder('to', google.folder);
  const moved = google.put('moved.cho', 'm', from);
  const edited = google.put('edited.cho', 'one');
  const held = fake.faults.hold({ operation: 'changes.list' });
  await google.start();
  await held.arrived;
  // The folders were listed, the changes since the start token not yet.
  fake.move(moved, to);
  fake.write(edited, 'two');
  google.put('added.cho', 'new');
  held.open();
  fake.faults.clear();
  await google.settled();

  expect(google.news()).toEqual(['added added.cho 1', 'added edited.cho 1', 'added to/moved.cho 1']);
  expect(await google.bytesOf('edited.cho')).toBe('two');
});

it('believes what it heard of a file before a listing that lags behind', async () => {
  google = await GoogleRig.running();
  const { fake } = google;
  const set = fake.folder('set');
  const moved = google.put('moved.cho', 'm', set);
  fake.move(set, google.folder);
  fake.move(moved, google.folder);
  const held = fake.faults.hold({ operation: 'files.list' }, 1);
  const scan = google.rig.drive.rescan(bandId);
  await held.arrived;
  fake.store.get(moved).parent = set;
  held.open();
  await scan;
  expect(await google.rig.paths()).toEqual(['moved.cho']);
});

it('commits nothing from a page token that another process has gone beyond', async () => {
  google = await GoogleRig.running();
  const id = google.put('a.cho', 'a');
  await google.settled();
  google.fake.rename(id, 'b.cho');
  // The first platform has read the change list, but not yet the folder that is to be there when a path is gone.
  const held = google.fake.faults.hold({ operation: 'files.get' }, 1);
  const slow = google.rig.drive.rescan(bandId);
  await held.arrived;
  google.fake.rename(id, 'c.cho');
  await google.start();
  await google.settled();
  held.open();
  await slow;
  await google.settled();

  expect(google.news()).toEqual(['added a.cho 1', 'changed c.cho 2']);
});

it.each([false, true])(
  'takes nothing from the folder of before when another process has connected the band to another, of another drive: %s',
  async (isOfOtherDrive) => {
    google = await GoogleRig.running();
    const { fake } = google;
    google.put('a.cho', 'a');
    await google.settled();
    const driveId = isOfOtherDrive ? fake.sharedDrive('The Bands') : undefined;
    const folder = fake.folder('Another Band', driveId);
    google.put('b.cho', 'b', folder);
    const [first] = google.rig.platforms;
    // The other process has connected it, and not yet listed anything.
    const held = fake.faults.hold({ operation: 'changes.getStartPageToken' }, 1);
    await google.start({ folderId: folder, driveId });
    await held.arrived;
    await expect(first!.drive.rescan(bandId)).rejects.toMatchObject({ code: 'folder_missing', retryable: true });
    held.open();
    await google.settled();
    expect(await google.rig.paths()).toEqual(['b.cho']);
    await google.rig.platforms.pop()!.stop();
    google.put('c.cho', 'c', folder);
    await first!.drive.rescan(bandId);
    expect(await google.rig.paths()).toEqual(['b.cho', 'c.cho']);
  },
);

it('commits changes and page token together, or neither', async () => {
  google = await GoogleRig.running();
  google.put('a.cho', 'a');
  await google.rig.query(`
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'the disk is full'; end $$;
    create trigger full_disk before update of cursor on drive_folder for each row execute function refuse()`);
  await expect(google.rig.drive.rescan(bandId)).rejects.toThrow('the disk is full');
  expect(await google.rig.paths()).toEqual([]);

  await google.rig.query('drop trigger full_disk on drive_folder');
  await google.settled();
  expect(google.news()).toEqual(['added a.cho 1']);
});

it('follows a folder of a shared drive by the change list of that drive', async () => {
  google = await GoogleRig.build();
  const { fake } = google;
  const driveId = fake.sharedDrive('The Bands');
  const folder = fake.folder('The Band', driveId);
  const a = google.put('a.cho', 'a', folder);
  await google.start({ folderId: folder, driveId });
  await google.settled();
  fake.write(a, 'two');
  const b = google.put('b.cho', 'b', folder);
  await google.settled();
  // Out of the shared drive, into what the same account sees elsewhere.
  fake.move(b, fake.rootOf(fake.band.email));
  await google.settled();

  expect(google.news()).toEqual(['added a.cho 1', 'added b.cho 1', 'changed a.cho 2', 'removed b.cho 2']);
  const asked = fake.server.served.filter(({ operation }) => operation === 'changes.list');
  expect(asked.every(({ query }) => query.get('driveId') === driveId && query.get('includeCorpusRemovals') === 'true')).toBe(
    true,
  );
});

it('wants to know the shared drive of a folder, and says which it is', async () => {
  google = await GoogleRig.build();
  const driveId = google.fake.sharedDrive('The Bands');
  const folder = google.fake.folder('The Band', driveId);
  await google.start({ folderId: folder });
  const error = { code: 'settings_invalid', message: expect.stringContaining(driveId) };
  await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject(error);
  expect(await google.rig.drive.status(bandId)).toMatchObject({ state: 'starting', error });

  await google.rig.drive.connect({ bandId, provider: 'google', settings: { folderId: google.folder, driveId } });
  await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'settings_invalid' });
  await google.rig.drive.connect({ bandId, provider: 'google', settings: { folderId: driveId, driveId } });
  await google.settled();
  expect(await google.rig.drive.status(bandId)).toMatchObject({ state: 'watching', error: null });
});

it('takes nothing for removed when it is no member of the shared drive any more, says so, and goes on when it is', async () => {
  google = await GoogleRig.build();
  const { fake } = google;
  const driveId = fake.sharedDrive('The Bands');
  const folder = fake.folder('The Band', driveId);
  google.put('a.cho', 'a', folder);
  await google.start({ folderId: folder, driveId });
  await google.settled();
  google.news();
  fake.revokeAccess(driveId);
  const error = { code: 'folder_missing' };
  await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject(error);
  expect(await google.rig.drive.status(bandId)).toMatchObject({ state: 'folder_missing', files: 1, error });
  fake.share(driveId, fake.band.email);
  google.put('b.cho', 'b', folder);
  await google.settled();
  expect(google.news()).toEqual(['added b.cho 1']);
});

it('says so at once when the folder moves to a shared drive, takes nothing for removed, and goes on when it is back', async () => {
  google = await GoogleRig.running();
  const { fake, folder } = google;
  google.put('a.cho', 'a');
  await google.settled();
  google.news();
  const driveId = fake.sharedDrive('The Bands');
  fake.move(folder, driveId);
  const error = { code: 'settings_invalid', message: expect.stringContaining(driveId) };
  await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject(error);
  expect(await google.rig.drive.status(bandId)).toMatchObject({ files: 1, error });
  fake.move(folder, fake.rootOf(fake.band.email));
  google.put('b.cho', 'b');
  await google.settled();
  expect(google.news()).toEqual(['added b.cho 1']);
});

it.each([400, 404, 410])('lists everything when the token of a later page is answered with %i', async (status) => {
  google = await GoogleRig.running();
  for (let n = 0; n < 1_001; n += 1) google.put(`${n}.cho`, 'words');
  const log = google.fake.changeLog();
  const page = log.page.bind(log);
  log.page = (pageToken, ...rest) => {
    const answer = page(pageToken, ...rest);
    if ('nextPageToken' in answer) return answer;
    log.page = page;
    throw new ApiError(status, 'invalid', 'Invalid Value');
  };
  await google.settled();
  expect(await google.rig.paths()).toHaveLength(1_001);
  expect(google.news()).toHaveLength(1_001);
});

it('finds out which of many new folders is gone by asking a few times', async () => {
  google = await GoogleRig.running();
  const folders = Array.from({ length: 40 }, (_, n) => google.fake.folder(`set ${n}`, google.folder));
  for (const [n, folder] of folders.entries()) google.put(`${n}.cho`, `words ${n}`, folder);
  const asked = google.asked('files.list');
  const held = google.fake.faults.hold({ operation: 'files.list' }, 1);
  const scan = google.rig.drive.rescan(bandId);
  await held.arrived;
  google.fake.delete(folders[17]!);
  held.open();
  await scan;
  await google.settled();
  expect(await google.rig.paths()).toHaveLength(39);
  expect(google.asked('files.list') - asked).toBeLessThan(15);
});

it('follows all of My Drive by its alias', async () => {
  google = await GoogleRig.build();
  await google.start({ folderId: 'root' });
  const id = google.put('a.cho', 'a');
  await google.settled();
  google.fake.rename(id, 'b.cho');
  await google.settled();
  expect(google.news()).toEqual(['added The Band/a.cho 1', 'changed The Band/b.cho 2']);
});

it('reads as a service account what is shared with it', async () => {
  google = await GoogleRig.build({ credentials: (fake) => ({ serviceAccount: { ...fake.serviceAccount(email) } }) });
  google.put('a.cho', 'a');
  google.fake.share(google.folder, email);
  await google.start();
  await google.settled();
  expect(await google.bytesOf('a.cho')).toBe('a');
});

it('refuses settings and options that do not fit', async () => {
  google = await GoogleRig.running();
  for (const settings of [{}, { folderId: '' }, { folderId: "x' or '" }, { folderId: 'x', driveID: 'y' }, 'x', null]) {
    await expect(google.rig.drive.connect({ bandId, provider: 'google', settings })).rejects.toMatchObject({
      code: 'settings_invalid',
      status: 400,
    });
  }
  const credentials = { serviceAccount: '/there is no such key.json' };
  expect(() => new GoogleDriveProvider({ credentials })).toThrow(expect.objectContaining({ code: 'options_invalid' }));
  const consent = { clientId: 'id', clientSecret: 'secret', refreshToken: 'token' };
  for (const options of [{ webhookUrl: 'http://example.test' }, { pollIntervalMs: 0 }, { pollMs: 1 }]) {
    expect(() => new GoogleDriveProvider({ credentials: consent, ...options })).toThrow(
      expect.objectContaining({ code: 'options_invalid', message: expect.stringContaining(Object.keys(options)[0]!) }),
    );
  }
});
