import type { drive_v3 } from '@googleapis/drive';
import { FakeDrive } from './fake-drive.js';
import { officialClient } from './official-client.js';

let fake: FakeDrive;
let client: drive_v3.Drive;

beforeEach(async () => {
  fake = await FakeDrive.start();
  client = officialClient(fake, fake.band);
});
afterEach(() => fake.close());

it('answers with a few fields unless others are asked for', async () => {
  const id = fake.put('Waltz.cho', 'one two', { mimeType: 'text/plain' });
  expect((await client.files.get({ fileId: id })).data).toEqual({
    kind: 'drive#file',
    id,
    name: 'Waltz.cho',
    mimeType: 'text/plain',
  });
  expect((await client.files.get({ fileId: id, fields: 'size,capabilities(canDownload)' })).data).toEqual({
    size: '7',
    capabilities: { canDownload: true },
  });
});

it('lists what lies in a folder, page by page', async () => {
  const folder = fake.folder('Songs');
  const ids = ['a', 'b', 'c'].map((name) => fake.put(name, name, { parent: folder }));
  fake.trash(fake.put('d', 'd', { parent: folder }));
  fake.put('elsewhere', 'e');
  const q = `'${folder}' in parents and trashed = false`;
  const first = await client.files.list({ q, pageSize: 2 });
  const second = await client.files.list({ q, pageSize: 2, pageToken: first.data.nextPageToken! });
  expect([first, second].flatMap(({ data }) => data.files!.map(({ id }) => id))).toEqual(ids);
  expect(second.data.nextPageToken).toBeUndefined();
});

it('sends a part of a file, and none of an empty one', async () => {
  const full = fake.put('Waltz.cho', 'one two three');
  const empty = fake.put('empty', '');
  const part = await client.files.get(
    { fileId: full, alt: 'media' },
    { headers: { Range: 'bytes=4-6' }, responseType: 'text' },
  );
  expect([part.status, part.data, (part.headers as unknown as Headers).get('content-range')]).toEqual([
    206,
    'two',
    'bytes 4-6/13',
  ]);
  const whole = await client.files.get({ fileId: empty, alt: 'media' }, { responseType: 'text' });
  expect([whole.status, whole.data]).toEqual([200, '']);
  const refused = client.files.get({ fileId: empty, alt: 'media' }, { headers: { Range: 'bytes=0-' } });
  await expect(refused).rejects.toMatchObject({ status: 416 });
});

it('tells a change of a file once, at its latest', async () => {
  const { data } = await client.changes.getStartPageToken();
  const [a, b] = [fake.put('a', '1'), fake.put('b', '1')];
  fake.write(a, '2');
  const list = await client.changes.list({ pageToken: data.startPageToken!, fields: '*' });
  expect(list.data.changes!.map(({ fileId, file }) => [fileId, file!.name])).toEqual([
    [b, 'b'],
    [a, 'a'],
  ]);
  const next = await client.changes.list({ pageToken: list.data.newStartPageToken! });
  expect(next.data.changes).toEqual([]);
});
