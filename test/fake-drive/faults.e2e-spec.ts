import type { drive_v3 } from '@googleapis/drive';
import { bandEmail, FakeDrive } from './fake-drive.js';
import { officialClient, refusalOf } from './official-client.js';

let fake: FakeDrive;
let client: drive_v3.Drive;
let fileId: string;

beforeEach(async () => {
  fake = await FakeDrive.start();
  client = officialClient(fake, fake.band);
  fileId = fake.put('Waltz.cho', 'one two three');
});
afterEach(() => fake.close());

const read = (id = fileId) => client.files.get({ fileId: id });
const download = () => client.files.get({ fileId, alt: 'media' }, { responseType: 'text' });

it.each([500, 502, 503, 504, 429, 403, 404] as const)('answers %i so often as it is told', async (status) => {
  fake.faults.answer({ operation: 'files.get' }, { status }, 2);
  for (let i = 0; i < 2; i += 1) expect((await refusalOf(read())).status).toBe(status);
  expect((await read()).data.name).toBe('Waltz.cho');
});

it('tells refusals of the quota, which pass, from others, which do not, and says for how long', async () => {
  fake.faults.answer({}, { status: 403, retryAfterS: 7 });
  fake.faults.answer({}, { status: 403, reason: 'insufficientFilePermissions' });
  expect(await refusalOf(read())).toMatchObject({ reason: 'rateLimitExceeded', retryAfter: '7' });
  expect(await refusalOf(read())).toMatchObject({ reason: 'insufficientFilePermissions', retryAfter: null });
});

it('hits the requests that are meant, and no others', async () => {
  const other = fake.put('Polka.cho', 'one');
  fake.faults.answer({ operation: 'files.get', fileId: other, user: bandEmail }, { status: 503 });
  await read();
  await client.files.get({ fileId: other, alt: 'media' });
  expect((await refusalOf(read(other))).status).toBe(503);
});

it('charges nothing for what it answers itself', async () => {
  await read();
  const spent = fake.quota.spent;
  fake.faults.answer({}, { status: 500 });
  await refusalOf(read());
  expect(fake.quota.spent).toBe(spent);
});

it('holds a request until it is let go, and others not', async () => {
  const gate = fake.faults.hold({ operation: 'files.download' }, 1);
  const held = download();
  await gate.arrived;
  fake.write(fileId, 'written meanwhile');
  expect((await download()).data).toBe('written meanwhile');
  expect(fake.server.served.filter(({ operation }) => operation === 'files.download')).toHaveLength(1);
  gate.open();
  expect((await held).data).toBe('written meanwhile');
});

it('lets go of all it holds when it is cleared', async () => {
  const gate = fake.faults.hold({});
  const held = read();
  await gate.arrived;
  fake.faults.clear();
  expect((await held).data.name).toBe('Waltz.cho');
  await read();
});

it('breaks the connection of a download after so many bytes, and goes on where asked to', async () => {
  fake.faults.cut({ fileId }, 4);
  const { data } = await client.files.get({ fileId, alt: 'media' }, { responseType: 'stream' });
  let received = '';
  const reading = (async () => {
    for await (const piece of data) received += String(piece);
  })();
  await expect(reading).rejects.toThrow();
  expect(received).toBe('one ');
  const rest = { headers: { Range: 'bytes=4-' }, responseType: 'text' } as const;
  expect((await client.files.get({ fileId, alt: 'media' }, rest)).data).toBe('two three');
  const downloads = fake.server.served.filter(({ operation }) => operation === 'files.download');
  expect(downloads.map(({ status, range }) => [status, range])).toEqual([
    [0, undefined],
    [206, 'bytes=4-'],
  ]);
});

it('says when a request was answered', async () => {
  const answered = fake.server.until((served) => served.some(({ operation }) => operation === 'files.list'));
  await read();
  await client.files.list({ q: "'root' in parents" });
  await answered;
  expect(fake.server.served.map(({ operation, user, status }) => [operation, user, status])).toEqual([
    ['token', '', 200],
    ['files.get', bandEmail, 200],
    ['files.list', bandEmail, 200],
  ]);
});
