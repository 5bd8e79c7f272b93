import { bandId } from '../../test/drive-rig.js';
import { GoogleRig } from '../../test/google-rig.js';

let google: GoogleRig;
let a: string;
let set: string;
beforeEach(async () => {
  google = await GoogleRig.running();
  a = google.put('a.cho', 'a');
  set = google.fake.folder('set', google.folder);
  google.put('b.cho', 'b', set);
  await google.settled();
  google.news();
});
afterEach(() => google.tearDown());

const status = () => google.rig.drive.status(bandId);

it('renews an access token that is refused', async () => {
  google.fake.credentials.expireAccessTokens();
  google.put('c.cho', 'c');
  await google.settled();
  expect(google.news()).toEqual(['added c.cho 1']);
});

it('takes nothing for removed when the credential is revoked, and says what to do', async () => {
  google.fake.revokeCredential();
  await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'credential_revoked', status: 503 });
  expect(await status()).toMatchObject({
    state: 'access_lost',
    files: 2,
    error: { code: 'credential_revoked', remedy: expect.stringContaining('refresh token') },
  });
  await expect(google.rig.drive.open((await google.rig.file('a.cho')).fileId)).rejects.toMatchObject({
    code: 'credential_revoked',
  });
  expect(google.news()).toEqual([]);
});

it('does not try again what Google refuses for good', async () => {
  google.fake.faults.answer({ operation: 'changes.list' }, { status: 403, reason: 'insufficientFilePermissions' }, 2);
  const asked = google.asked('changes.list');
  await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'access_denied', retryable: false });
  expect(google.asked('changes.list') - asked).toBe(1);
  expect(await status()).toMatchObject({ state: 'access_lost', files: 2, error: { code: 'access_denied' } });
});

it.each<[string, (google: GoogleRig) => () => void]>([
  ['is in the trash', ({ fake, folder }) => (fake.trash(folder), () => fake.untrash(folder))],
  ['is not shared any more', ({ fake, folder }) => (fake.revokeAccess(folder), () => fake.share(folder, fake.band.email))],
  [
    'is in the trash, and each file is told',
    ({ fake, folder }) => {
      fake.store.tellsDescendants = true;
      fake.trash(folder);
      return () => fake.untrash(folder);
    },
  ],
])('takes nothing for removed when the folder %s, and finds all that changed when it is back', async (_, takeAway) => {
  const bringBack = takeAway(google);
  await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'folder_missing', retryable: true });
  expect(await status()).toMatchObject({ state: 'folder_missing', files: 2, error: { code: 'folder_missing' } });
  await google.restart();
  await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'folder_missing' });

  // While nobody was allowed to see it, and so of no change list.
  google.fake.store.get(a).name = 'renamed.cho';
  bringBack();
  google.put('c.cho', 'c');
  await google.settled();
  expect(google.news()).toEqual(['added c.cho 1', 'changed renamed.cho 2']);
  expect(await status()).toMatchObject({ state: 'watching', files: 3, error: null });
});

it.each<[string, string, (google: GoogleRig) => void, (google: GoogleRig) => void]>([
  [
    'the folder',
    'folder_missing',
    ({ fake, folder }) => void fake.trash(folder),
    ({ fake, folder }) => void fake.untrash(folder),
  ],
  [
    'the credential',
    'credential_revoked',
    ({ fake }) => fake.revokeCredential(),
    ({ fake }) => void fake.credentials.user(fake.band.email),
  ],
])('looks for changes at once when %s is back and a file can be read', async (_, code, takeAway, giveBack) => {
  takeAway(google);
  await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code });
  giveBack(google);
  google.put('c.cho', 'c');
  expect(await google.bytesOf('a.cho')).toBe('a');
  await google.rig.audience.until((told) => told.length === 1);
  expect(google.news()).toEqual(['added c.cho 1']);
  // What was told is told before the follower has come to the end of its look.
  while ((await status()).state !== 'watching');
  expect(await status()).toMatchObject({ error: null });
});

it('serves a file that comes back with the folder while it is asked for', async () => {
  google.fake.trash(google.folder);
  const asked = google.fake.faults.hold({ operation: 'files.get', fileId: google.folder }, 1);
  const bytes = google.bytesOf('a.cho');
  await asked.arrived;
  google.fake.untrash(google.folder);
  asked.open();
  expect(await bytes).toBe('a');
});

it('takes no file for removed before it has looked whether the folder is there', async () => {
  // The change list is told file by file, and that of the folder itself is not in it yet.
  google.fake.store.get(google.folder).trashed = true;
  google.fake.trash(a);
  await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'folder_missing' });
  expect(google.news()).toEqual([]);
});

it.each([
  ['a file', () => a],
  ['a folder', () => set],
])('takes nothing for gone when a listing leaves out %s that is there', async (_, idOf) => {
  google.fake.changeLog().expireTokens();
  const missed = google.fake.store.get(idOf());
  const { parent } = missed;
  const held = google.fake.faults.hold({ operation: 'files.list' }, 1);
  const scan = google.rig.drive.rescan(bandId);
  await held.arrived;
  // As a listing that lags behind: it is not in the folder, and no change of that is told.
  missed.parent = google.fake.rootOf(google.fake.band.email);
  const gate = google.fake.faults.hold({ operation: 'files.get' });
  held.open();
  await gate.arrived;
  missed.parent = parent;
  gate.open();
  await scan;
  expect(google.news()).toEqual([]);
  expect(await google.rig.paths()).toEqual(['a.cho', 'set/b.cho']);
});

it('ends at once, whatever is under way', async () => {
  const held = google.fake.faults.hold({});
  const scan = expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'folder_missing' });
  await held.arrived;
  await google.rig.platforms.at(-1)!.stop();
  await scan;
});
