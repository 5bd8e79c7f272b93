import type { drive_v3 } from '@googleapis/drive';
import { bandEmail, FakeDrive } from './fake-drive.js';
import { officialClient, refusalOf } from './official-client.js';

let fake: FakeDrive;
let client: drive_v3.Drive;

beforeEach(async () => {
  fake = await FakeDrive.start();
  client = officialClient(fake, fake.band);
});
afterEach(() => fake.close());

const names = ({ data }: { data: drive_v3.Schema$FileList }) => data.files!.map(({ name }) => name);

describe('files.get', () => {
  it('answers with a few fields unless others are asked for', async () => {
    const id = fake.put('Waltz.cho', 'one two', { mimeType: 'text/plain' });
    const { data } = await client.files.get({ fileId: id });
    expect(data).toEqual({ kind: 'drive#file', id, name: 'Waltz.cho', mimeType: 'text/plain' });
    const selected = await client.files.get({ fileId: id, fields: 'size,capabilities(canDownload)' });
    expect(selected.data).toEqual({ size: '7', capabilities: { canDownload: true } });
  });

  it('refuses a field that does not exist', async () => {
    const id = fake.put('Waltz.cho', 'one');
    expect(await refusalOf(client.files.get({ fileId: id, fields: 'id,titel' }))).toMatchObject({
      status: 400,
      reason: 'invalidParameter',
      location: 'fields',
    });
  });

  it('tells checksums and a head revision of binary content only', async () => {
    const fields = 'md5Checksum,sha256Checksum,headRevisionId';
    const file = fake.put('Waltz.cho', 'one');
    expect((await client.files.get({ fileId: file, fields })).data).toEqual({
      md5Checksum: 'f97c5d29941bfb1b2fdab0874906ab82',
      sha256Checksum: '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed',
      headRevisionId: expect.any(String),
    });
    for (const fileId of [fake.folder('Songs'), fake.googleDoc('Set list', 'pdf'), fake.shortcut('Waltz', file)]) {
      expect((await client.files.get({ fileId, fields })).data).toEqual({});
    }
  });

  it('gives a file that is written a new head revision, and one that is renamed a new version only', async () => {
    const id = fake.put('Waltz.cho', 'one');
    const get = async () => (await client.files.get({ fileId: id, fields: 'headRevisionId,version' })).data;
    const first = await get();
    fake.rename(id, 'Slow Waltz.cho');
    const renamed = await get();
    fake.write(id, 'two');
    const written = await get();
    expect(renamed.headRevisionId).toBe(first.headRevisionId);
    expect(written.headRevisionId).not.toBe(first.headRevisionId);
    expect([renamed, written].map(({ version }) => Number(version) - Number(first.version))).toEqual([1, 2]);
  });

  it('tells where a shortcut leads to, also when nothing is there any more', async () => {
    const target = fake.put('Waltz.cho', 'one', { mimeType: 'text/plain' });
    const shortcut = fake.shortcut('Waltz', target);
    fake.delete(target);
    const { data } = await client.files.get({ fileId: shortcut, fields: 'mimeType,shortcutDetails(targetId)' });
    expect(data).toEqual({ mimeType: 'application/vnd.google-apps.shortcut', shortcutDetails: { targetId: target } });
  });

  it('does not know what was deleted, and what the user may not see', async () => {
    const folder = fake.folder('Songs');
    const [gone, hidden] = [fake.put('a', 'a'), fake.put('b', 'b', { parent: folder })];
    fake.delete(gone);
    fake.revokeAccess(folder);
    for (const fileId of [gone, hidden]) {
      expect(await refusalOf(client.files.get({ fileId }))).toMatchObject({ status: 404, reason: 'notFound' });
    }
  });

  it('shows a user what is shared with them, with all below it', async () => {
    const guest = officialClient(fake, fake.account('guest@example.test'));
    const folder = fake.folder('Songs');
    const id = fake.put('Waltz.cho', 'one', { parent: folder });
    expect((await refusalOf(guest.files.get({ fileId: id }))).status).toBe(404);
    fake.share(folder, 'guest@example.test');
    expect((await guest.files.get({ fileId: id })).data.name).toBe('Waltz.cho');
  });

  it('takes what lies in a trashed folder for trashed', async () => {
    const folder = fake.folder('Songs');
    const id = fake.put('Waltz.cho', 'one', { parent: folder });
    fake.trash(folder);
    const fields = 'trashed,explicitlyTrashed';
    expect((await client.files.get({ fileId: id, fields })).data).toEqual({ trashed: true, explicitlyTrashed: false });
    fake.untrash(folder);
    expect((await client.files.get({ fileId: id, fields })).data).toEqual({ trashed: false, explicitlyTrashed: false });
  });
});

describe('files.list', () => {
  it('lists what lies in a folder, page by page, though files come and go meanwhile', async () => {
    const folder = fake.folder('Songs');
    const [, b] = ['a', 'b', 'c'].map((name) => fake.put(name, name, { parent: folder }));
    fake.trash(fake.put('d', 'd', { parent: folder }));
    fake.put('elsewhere', 'e');
    const q = `'${folder}' in parents and trashed = false`;
    const first = await client.files.list({ q, pageSize: 2 });
    fake.delete(b!);
    const second = await client.files.list({ q, pageSize: 2, pageToken: first.data.nextPageToken! });
    expect([first, second].map(names)).toEqual([['a', 'b'], ['c']]);
    expect(second.data.nextPageToken).toBeUndefined();
  });

  it('understands the root, types, names and their combinations', async () => {
    fake.folder('Songs');
    fake.put("Devil's Waltz", 'one', { mimeType: 'text/plain' });
    fake.put('Polka', 'one', { mimeType: 'text/plain' });
    const list = async (q: string) => names(await client.files.list({ q }));
    expect(await list("'root' in parents and mimeType = 'application/vnd.google-apps.folder'")).toEqual(['Songs']);
    expect(await list("name = 'Devil\\'s Waltz' or (name contains 'pol' and not trashed = true)")).toEqual([
      "Devil's Waltz",
      'Polka',
    ]);
  });

  it.each([
    ['a query it cannot read', { q: 'Waltz' }, 'q'],
    ['a page token that never was one', { pageToken: 'BOGUS' }, 'pageToken'],
    ['pages of nothing', { pageSize: 0 }, 'pageSize'],
  ])('refuses %s', async (_what, parameters, location) => {
    const refusal = await refusalOf(client.files.list(parameters));
    expect(refusal).toMatchObject({ status: 400, reason: 'invalid', location });
  });

  it('knows no folder that is gone', async () => {
    const folder = fake.delete(fake.folder('Songs'));
    const refusal = await refusalOf(client.files.list({ q: `'${folder}' in parents` }));
    expect(refusal).toMatchObject({ status: 404, reason: 'notFound' });
  });
});

describe('shared drives', () => {
  it('are there for those only who say that they support them', async () => {
    const drive = fake.sharedDrive('Big Band');
    const id = fake.put('Waltz.cho', 'one', { parent: drive });
    expect((await refusalOf(client.files.get({ fileId: id }))).status).toBe(404);
    const { data } = await client.files.get({ fileId: id, supportsAllDrives: true });
    expect(data).toMatchObject({ name: 'Waltz.cho', driveId: drive });
  });

  it('are listed where they are to be included', async () => {
    const drive = fake.sharedDrive('Big Band');
    fake.put('Waltz.cho', 'one', { parent: drive });
    fake.put('Polka.cho', 'one');
    const q = `'${drive}' in parents`;
    expect(names(await client.files.list({ q, supportsAllDrives: true }))).toEqual([]);
    const all = { supportsAllDrives: true, includeItemsFromAllDrives: true };
    expect(names(await client.files.list({ q, ...all }))).toEqual(['Waltz.cho']);
    expect(names(await client.files.list({ driveId: drive, corpora: 'drive', ...all }))).toEqual(['Waltz.cho']);
  });

  it.each([
    ['including without supporting them', { includeItemsFromAllDrives: true }, 'supportsTeamDrivesRequired'],
    ['a drive without including it', { driveId: '0A', corpora: 'drive' }, 'includeTeamDriveItemsRequired'],
    ['a drive of another corpora', { driveId: '0A' }, 'teamDriveIdRequiresTeamDriveCorpora'],
  ])('refuse %s', async (_what, parameters, reason) => {
    expect(await refusalOf(client.files.list(parameters))).toMatchObject({ status: 403, reason });
  });

  it('are for their members', async () => {
    const drive = fake.sharedDrive('Big Band', ['leader@example.test']);
    expect((await refusalOf(client.drives.get({ driveId: drive }))).status).toBe(404);
    fake.share(drive, bandEmail);
    expect((await client.drives.get({ driveId: drive })).data.name).toBe('Big Band');
  });
});
