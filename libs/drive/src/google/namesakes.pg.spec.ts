import { ManualClock } from '../../../../test/fake-drive/clock.js';
import { bandId } from '../../test/drive-rig.js';
import { GoogleRig } from '../../test/google-rig.js';

let clock: ManualClock;
let google: GoogleRig;
let older: string;
let newer: string;
beforeEach(async () => {
  clock = new ManualClock(Date.now());
  google = await GoogleRig.running({ fake: { clock } });
  older = google.put('a.cho', 'older');
  await google.settled();
  clock.advance(1);
  newer = google.put('a.cho', 'newer');
  await google.settled();
});
afterEach(() => google.tearDown());

/** The files by path: what they hold, and whether there is a newer one of their name. */
async function files(): Promise<Record<string, string>> {
  const all = await google.rig.drive.files(bandId);
  const told = all.map(async ({ path, hasNewerNamesake }) => [
    path,
    `${await google.bytesOf(path)}${hasNewerNamesake ? ', has a newer namesake' : ''}`,
  ]);
  return Object.fromEntries(await Promise.all(told));
}

async function identities(): Promise<Record<string, string>> {
  return Object.fromEntries((await google.rig.drive.files(bandId)).map(({ path, fileId }) => [path, fileId]));
}

it('lists all of several files with one name, the newest under it and each other with its id', async () => {
  expect(google.news()).toEqual([`added a (${older}).cho 1`, 'added a.cho 1', 'changed a.cho 2']);
  expect(await files()).toEqual({ 'a.cho': 'newer', [`a (${older}).cho`]: 'older, has a newer namesake' });
  clock.advance(1);
  const newest = google.put('a.cho', 'newest');
  await google.settled();
  expect(google.news()).toEqual([`added a (${newer}).cho 1`, 'changed a.cho 3']);
  expect(await files()).toEqual({
    'a.cho': 'newest',
    [`a (${newer}).cho`]: 'newer, has a newer namesake',
    [`a (${older}).cho`]: 'older, has a newer namesake',
  });
  google.fake.trash(newest);
  await google.settled();
  expect(await files()).toEqual({ 'a.cho': 'newer', [`a (${older}).cho`]: 'older, has a newer namesake' });
});

it('tells nothing twice at the next start, nor when all is listed again', async () => {
  google.news();
  await google.restart();
  await google.settled();
  google.fake.changeLog().expireTokens();
  await google.settled();
  expect(google.news()).toEqual([]);
});

it('gives the name to the older one that is edited, and each stays the file that it was', async () => {
  google.news();
  const before = await identities();
  clock.advance(1);
  google.fake.write(older, 'edited');
  await google.settled();
  expect(google.news()).toEqual([`changed a (${newer}).cho 3`, 'changed a.cho 2']);
  expect(await files()).toEqual({ 'a.cho': 'edited', [`a (${newer}).cho`]: 'newer, has a newer namesake' });
  expect(await identities()).toEqual({
    'a.cho': before[`a (${older}).cho`],
    [`a (${newer}).cho`]: before['a.cho'],
  });
});

it('lists the older one though another file is called as it would be, and calls it so when that goes', async () => {
  google.news();
  const own = google.put(`a (${older}).cho`, 'called so');
  await google.settled();
  const expected = {
    'a.cho': 'newer',
    [`a (${older}).cho`]: 'called so',
    [`a (${older}) (${older}).cho`]: 'older, has a newer namesake',
  };
  expect(await files()).toEqual(expected);
  google.news();
  await google.restart();
  await google.settled();
  google.fake.changeLog().expireTokens();
  await google.settled();
  expect(google.news()).toEqual([]);
  google.fake.rename(own, 'b.cho');
  await google.settled();
  expect(await files()).toEqual({
    'a.cho': 'newer',
    [`a (${older}).cho`]: 'older, has a newer namesake',
    'b.cho': 'called so',
  });
});

it('loses no older one that could not be read just when a newer one came', async () => {
  const { fake, folder } = google;
  const refused = fake.googleDoc('Notes', '%PDF', folder);
  await google.settled();
  google.news();
  clock.advance(1);
  fake.editGoogleDoc(refused, '%PDF edited');
  clock.advance(1);
  fake.googleDoc('Notes', '%PDF', folder);
  fake.faults.answer({ operation: 'files.export', fileId: refused }, { status: 500 }, 3);
  await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'drive_unreachable' });
  await google.settled();
  expect(await google.rig.paths()).toEqual([`Notes (${refused}).pdf`, 'Notes.pdf', `a (${older}).cho`, 'a.cho']);
});

it.each([
  ['trashed', () => google.fake.trash(newer), {}],
  ['renamed', () => google.fake.rename(newer, 'b.cho'), { 'b.cho': 'newer' }],
  ['moved', () => google.fake.move(newer, google.fake.folder('set', google.folder)), { 'set/a.cho': 'newer' }],
] as const)('gives the name back to the older one when the newer is %s', async (_, act, elsewhere) => {
  act();
  await google.settled();
  expect(await files()).toEqual({ 'a.cho': 'older', ...elsewhere });
});

it('finds out at the start about files that were listed before anybody asked for namesakes', async () => {
  google.news();
  await google.rig.query('update drive_file set has_newer_namesake = false');
  await google.restart();
  await google.settled();
  expect(google.news()).toEqual([`changed a (${older}).cho 2`]);
  expect(await files()).toEqual({ 'a.cho': 'newer', [`a (${older}).cho`]: 'older, has a newer namesake' });
});
