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

type Listed = drive_v3.Schema$ChangeList;

async function startPageToken(parameters = {}): Promise<string> {
  return (await client.changes.getStartPageToken(parameters)).data.startPageToken!;
}

async function list(pageToken: string, parameters = {}): Promise<Listed> {
  return (await client.changes.list({ pageToken, fields: '*', ...parameters })).data;
}

/** `name` of what is there, `-id` of what is not. */
const told = ({ changes }: Listed) => changes!.map(({ removed, fileId, file }) => (removed ? `-${fileId}` : file!.name));

it('begins with what happens from now on, and goes on where it ended', async () => {
  fake.put('before', '1');
  const token = await startPageToken();
  fake.put('after', '1');
  const first = await list(token);
  expect(told(first)).toEqual(['after']);
  expect(first.nextPageToken).toBeUndefined();
  fake.put('later', '1');
  expect(told(await list(first.newStartPageToken!))).toEqual(['later']);
});

it('tells a changed file once, at its latest change and as it is now', async () => {
  const token = await startPageToken();
  const a = fake.put('a', '1');
  fake.put('b', '1');
  fake.write(a, '2');
  fake.rename(a, 'a2');
  expect(told(await list(token))).toEqual(['b', 'a2']);
});

it('tells in pages, the last of which has the token to go on with', async () => {
  const token = await startPageToken();
  for (const name of ['a', 'b', 'c']) fake.put(name, name);
  const first = await list(token, { pageSize: 2 });
  expect([told(first), first.newStartPageToken]).toEqual([['a', 'b'], undefined]);
  const second = await list(first.nextPageToken!, { pageSize: 2 });
  expect([told(second), second.nextPageToken]).toEqual([['c'], undefined]);
  expect(second.newStartPageToken).toBe(await startPageToken());
});

it('answers with a few fields of each change unless others are asked for', async () => {
  const token = await startPageToken();
  const id = fake.put('a', '1', { mimeType: 'text/plain' });
  const { data } = await client.changes.list({ pageToken: token });
  expect(data.changes).toEqual([
    {
      kind: 'drive#change',
      type: 'file',
      changeType: 'file',
      time: expect.any(String),
      removed: false,
      fileId: id,
      file: { kind: 'drive#file', id, name: 'a', mimeType: 'text/plain' },
    },
  ]);
  expect((await list(token, { fields: 'changes/fileId' })).changes).toEqual([{ fileId: id }]);
});

it('tells of what is in the trash with the file, and of what was deleted or taken from the user without', async () => {
  const [trashed, deleted, lost] = ['a', 'b', 'c'].map((name) => fake.put(name, name));
  const token = await startPageToken();
  fake.trash(trashed!);
  fake.delete(deleted!);
  fake.revokeAccess(lost!);
  const { changes } = await list(token);
  expect(changes!.map(({ fileId, removed, file }) => [fileId, removed, file?.trashed])).toEqual([
    [trashed, false, true],
    [deleted, true, undefined],
    [lost, true, undefined],
  ]);
  expect(told(await list(token, { includeRemoved: false }))).toEqual(['a']);
});

it('tells of a folder, and only where it is told to of all below it', async () => {
  const folder = fake.folder('Songs');
  const id = fake.put('a', 'a', { parent: folder });
  const token = await startPageToken();
  fake.delete(folder);
  expect(told(await list(token))).toEqual([`-${folder}`]);

  const other = fake.folder('Sets');
  fake.put('b', 'b', { parent: other });
  fake.store.tellsDescendants = true;
  fake.trash(other);
  expect(told(await list(token))).toEqual([`-${folder}`, 'Sets', 'b']);
  expect((await refusalOf(client.files.get({ fileId: id }))).status).toBe(404);
});

it('tells each user what that user sees', async () => {
  const guest = officialClient(fake, fake.account('guest@example.test'));
  const token = await startPageToken();
  fake.put('private', '1');
  const shared = fake.share(fake.put('shared', '1'), 'guest@example.test');
  const guestList = async () => (await guest.changes.list({ pageToken: token, fields: '*' })).data;
  expect(told(await guestList())).toEqual(['shared']);
  fake.revokeAccess(shared, 'guest@example.test');
  fake.rename(shared, 'secret');
  expect(told(await guestList())).toEqual([`-${shared}`]);
  expect(told(await list(token))).toEqual(['private', 'secret']);
});

it('leaves out what is not in My Drive, where it is told to', async () => {
  fake.account('guest@example.test');
  const token = await startPageToken();
  const shared = fake.put('shared', '1', { parent: fake.rootOf('guest@example.test') });
  fake.share(shared, bandEmail);
  fake.put('own', '1');
  expect(told(await list(token))).toEqual(['shared', 'own']);
  expect(told(await list(token, { restrictToMyDrive: true }))).toEqual(['own']);
});

describe('page tokens', () => {
  it.each(['BOGUS', '', '0', '99999999'])('that never were any are refused: "%s"', async (pageToken) => {
    const refusal = await refusalOf(client.changes.list({ pageToken }));
    expect(refusal).toMatchObject({ status: 400, location: 'pageToken' });
  });

  it('that are too old are refused otherwise', async () => {
    const token = await startPageToken();
    fake.changeLog().expireTokens();
    expect((await refusalOf(client.changes.list({ pageToken: token }))).status).toBe(410);
    expect(told(await list(await startPageToken()))).toEqual([]);
  });
});

describe('a list that misbehaves', () => {
  it('tells again what it told', async () => {
    fake.put('a', '1');
    const token = await startPageToken();
    fake.put('b', '1');
    fake.changeLog().repeats = 1;
    expect(told(await list(token))).toEqual(['a', 'b']);
    expect(told(await list(token))).toEqual(['b']);
  });

  it('goes on before where it ended', async () => {
    const token = await startPageToken();
    fake.put('a', '1');
    fake.put('b', '1');
    fake.changeLog().lags = 1;
    const { newStartPageToken } = await list(token);
    expect(told(await list(newStartPageToken!))).toEqual(['b']);
  });
});

describe('shared drives', () => {
  const all = { supportsAllDrives: true, includeItemsFromAllDrives: true };

  it('are in the list of the user where they are included, and have one of their own', async () => {
    const drive = fake.sharedDrive('Big Band');
    const [token, ofDrive] = [await startPageToken(), await startPageToken({ driveId: drive, supportsAllDrives: true })];
    fake.put('own', '1');
    fake.put('shared', '1', { parent: drive });
    expect(told(await list(token))).toEqual(['own']);
    expect(told(await list(token, all))).toEqual(['own', 'shared']);
    expect(told(await list(ofDrive, { driveId: drive, ...all }))).toEqual(['shared']);
  });

  it('know no token of another list', async () => {
    const drive = fake.sharedDrive('Big Band');
    const pageToken = await startPageToken();
    expect((await refusalOf(client.changes.list({ pageToken, driveId: drive, ...all }))).status).toBe(400);
  });

  it('tell of what leaves them, with the file where that is asked for', async () => {
    const drive = fake.sharedDrive('Big Band');
    const id = fake.put('a', '1', { parent: drive });
    const token = await startPageToken({ driveId: drive, supportsAllDrives: true });
    fake.move(id, fake.rootOf(bandEmail));
    const corpus = { driveId: drive, ...all };
    expect((await list(token, corpus)).changes).toMatchObject([{ fileId: id, removed: true }]);
    expect((await list(token, corpus)).changes![0]!.file).toBeUndefined();
    const { changes } = await list(token, { ...corpus, includeCorpusRemovals: true });
    expect(changes).toMatchObject([{ fileId: id, removed: true, file: { name: 'a' } }]);
  });

  it('come and go as a whole', async () => {
    const drive = fake.sharedDrive('Big Band', []);
    const token = await startPageToken();
    fake.share(drive, bandEmail);
    expect((await list(token, all)).changes).toMatchObject([
      { changeType: 'drive', driveId: drive, removed: false, drive: { name: 'Big Band' } },
    ]);
    fake.revokeAccess(drive);
    expect((await list(token, all)).changes).toMatchObject([{ changeType: 'drive', driveId: drive, removed: true }]);
    const ofDrive = client.changes.getStartPageToken({ driveId: drive, supportsAllDrives: true });
    expect((await refusalOf(ofDrive)).status).toBe(404);
  });
});
