import { bandId } from '../../test/drive-rig.js';
import { GoogleRig } from '../../test/google-rig.js';

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
