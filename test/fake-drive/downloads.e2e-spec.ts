import type { drive_v3 } from '@googleapis/drive';
import { generatedContent } from './content.js';
import { FakeDrive } from './fake-drive.js';
import { officialClient } from './official-client.js';

let fake: FakeDrive;
let client: drive_v3.Drive;

beforeEach(async () => {
  fake = await FakeDrive.start();
  client = officialClient(fake, fake.band);
});
afterEach(() => fake.close());

const text = { responseType: 'text' } as const;
const ranged = (range: string) => ({ headers: { Range: range }, ...text });

it.each([
  ['bytes=4-6', 'two', 'bytes 4-6/13'],
  ['bytes=8-', 'three', 'bytes 8-12/13'],
  ['bytes=8-99', 'three', 'bytes 8-12/13'],
  ['bytes=-5', 'three', 'bytes 8-12/13'],
])('sends the part %s', async (range, expected, contentRange) => {
  const id = fake.put('Waltz.cho', 'one two three');
  const part = await client.files.get({ fileId: id, alt: 'media' }, ranged(range));
  const headers = part.headers as unknown as Headers;
  expect([part.status, part.data, headers.get('content-range')]).toEqual([206, expected, contentRange]);
});

it('refuses a part beyond the end, and any part of an empty file, which it sends as a whole', async () => {
  const full = fake.put('Waltz.cho', 'one two three');
  const empty = fake.put('empty', '');
  for (const [fileId, range] of [
    [full, 'bytes=13-'],
    [empty, 'bytes=0-'],
  ]) {
    await expect(client.files.get({ fileId, alt: 'media' }, ranged(range!))).rejects.toMatchObject({ status: 416 });
  }
  const whole = await client.files.get({ fileId: empty, alt: 'media' }, text);
  expect([whole.status, whole.data]).toEqual([200, '']);
});

it('sends an older revision', async () => {
  const id = fake.put('Waltz.cho', 'one');
  fake.write(id, 'two');
  const { data } = await client.revisions.list({ fileId: id });
  const revisionId = data.revisions![0]!.id!;
  expect((await client.revisions.get({ fileId: id, revisionId, alt: 'media' }, text)).data).toBe('one');
  expect((await client.files.get({ fileId: id, alt: 'media' }, text)).data).toBe('two');
});

it('exports a Google document, which has no bytes to download', async () => {
  const id = fake.googleDoc('Set list', 'a PDF');
  expect((await client.files.export({ fileId: id, mimeType: 'application/pdf' }, text)).data).toBe('a PDF');
  await expect(client.files.get({ fileId: id, alt: 'media' })).rejects.toMatchObject({
    status: 403,
    response: { data: { error: { errors: [{ reason: 'fileNotDownloadable', location: 'alt' }] } } },
  });
  const file = fake.put('Waltz.cho', 'one');
  await expect(client.files.export({ fileId: file, mimeType: 'application/pdf' })).rejects.toMatchObject({
    status: 403,
    response: { data: { error: { errors: [{ reason: 'fileNotExportable' }] } } },
  });
});

it('does not let go of what its owner forbids to download', async () => {
  const id = fake.forbidDownload(fake.put('Waltz.cho', 'one'));
  const { data } = await client.files.get({ fileId: id, fields: 'capabilities/canDownload' });
  expect(data.capabilities!.canDownload).toBe(false);
  await expect(client.files.get({ fileId: id, alt: 'media' })).rejects.toMatchObject({
    status: 403,
    response: { data: { error: { errors: [{ reason: 'cannotDownloadFile' }] } } },
  });
});

it('sends 2 GB, and any part of them, without holding them', async () => {
  const size = 2 * 1024 ** 3;
  const id = fake.put('Concert.wav', generatedContent(size));
  const before = process.memoryUsage().rss;
  const body = (await client.files.get({ fileId: id, alt: 'media' }, { responseType: 'stream' })).data;
  let received = 0;
  for await (const piece of body) received += (piece as Buffer).length;
  expect(received).toBe(size);
  expect(process.memoryUsage().rss - before).toBeLessThan(512 * 1024 ** 2);
  const end = { headers: { Range: 'bytes=-3' }, responseType: 'arraybuffer' } as const;
  const { data } = await client.files.get({ fileId: id, alt: 'media' }, end);
  expect([...new Uint8Array(data as ArrayBuffer)]).toEqual([3, 2, 1].map((back) => (size - back) % 251));
});

it('tells the checksums of what it makes as it sends it', async () => {
  const size = 200_000;
  const fields = 'md5Checksum,sha256Checksum';
  const made = fake.put('made', generatedContent(size));
  const held = fake.put(
    'held',
    new Uint8Array(size).map((_, i) => i % 251),
  );
  const [one, other] = await Promise.all([made, held].map((fileId) => client.files.get({ fileId, fields })));
  expect(one!.data).toEqual(other!.data);
});
