import { appendFile, rename, utimes, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { buffer, text } from 'node:stream/consumers';
import type { DriveFile } from '@soleil/bus';
import { bandId, DriveRig } from '../test/drive-rig.js';

let rig: DriveRig;
let file: DriveFile;
beforeEach(async () => {
  rig = await DriveRig.running();
  await rig.write('a.cho', '0123456789');
  await rig.settled();
  file = await rig.file('a.cho');
});
afterEach(() => rig.tearDown());

it('serves a range of the bytes, both ends included', async () => {
  const opened = await rig.drive.open(file.fileId, { range: { start: 2, end: 4 } });
  expect(opened).toMatchObject({ start: 2, end: 4, file });
  expect(await text(opened.stream)).toBe('234');
  for (const range of [
    { start: 0, end: 10 },
    { start: 5, end: 4 },
    { start: -1, end: 2 },
    { start: 0.5, end: 2 },
  ]) {
    await expect(rig.drive.open(file.fileId, { range })).rejects.toMatchObject({ code: 'range_invalid', status: 416 });
  }
});

it('serves no other revision than the one asked for', async () => {
  await rig.write('a.cho', 'changed');
  await rig.settled();
  await expect(rig.drive.open(file.fileId, { revision: 1 })).rejects.toMatchObject({
    code: 'revision_gone',
    status: 409,
    retryable: true,
  });
  expect(await text((await rig.drive.open(file.fileId, { revision: 2 })).stream)).toBe('changed');
});

it('serves no bytes that are newer than the recorded revision, and takes notice of them', async () => {
  rig.audience.told = [];
  await writeFile(rig.at('a.cho'), '9876543210');
  await expect(rig.drive.open(file.fileId, { revision: 1 })).rejects.toMatchObject({ code: 'revision_gone' });
  await rig.audience.until((told) => told.length === 1);
  expect(await text((await rig.drive.open(file.fileId, { revision: 2 })).stream)).toBe('9876543210');
});

it('serves a file that was touched, or replaced by the same bytes', async () => {
  await utimes(rig.at('a.cho'), new Date(), new Date(2001, 0, 1));
  expect(await text((await rig.drive.open(file.fileId, { revision: 1 })).stream)).toBe('0123456789');
  await writeFile(rig.at('b.tmp'), '0123456789');
  await rename(rig.at('b.tmp'), rig.at('a.cho'));
  expect(await text((await rig.drive.open(file.fileId, { revision: 1 })).stream)).toBe('0123456789');
});

it('fails a stream rather than end it with bytes of two contents', async () => {
  await rig.write('large.mp3', Buffer.alloc(1_000_000, 'a'));
  await rig.settled();
  const large = await rig.file('large.mp3');
  const { stream } = await rig.drive.open(large.fileId);
  await appendFile(rig.at('large.mp3'), 'b');
  await expect(buffer(stream)).rejects.toMatchObject({ code: 'revision_gone' });
});

it('goes on with a stream whose file was replaced or deleted: its bytes are those of the revision', async () => {
  await rig.write('large.mp3', Buffer.alloc(1_000_000, 'a'));
  await rig.settled();
  const { stream } = await rig.drive.open((await rig.file('large.mp3')).fileId);
  await rig.write('new.tmp', 'other');
  await rename(rig.at('new.tmp'), rig.at('large.mp3'));
  expect((await buffer(stream)).equals(Buffer.alloc(1_000_000, 'a'))).toBe(true);
});

it('lets go of the file when nobody reads the stream to its end', async () => {
  const { stream } = await rig.drive.open(file.fileId);
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stream.destroy();
  await closed;
  expect(stream.errored).toBeNull();
});

it('answers the questions of the bus', async () => {
  const { fileId } = file;
  await expect(rig.bus.request('drive.file_requested', { fileId })).resolves.toEqual({ state: 'present', file });
  await expect(rig.bus.request('drive.files_requested', { bandId })).resolves.toEqual({ fileIds: [fileId] });
  await expect(rig.bus.request('drive.rescan_requested', { bandId })).resolves.toEqual({ changes: 0, found: [] });
  const whole = await rig.bus.request('drive.bytes_requested', { fileId, revision: 1, limit: 10 });
  expect([Buffer.from(whole.bytes).toString(), whole.truncated]).toEqual(['0123456789', false]);
  const head = await rig.bus.request('drive.bytes_requested', { fileId, revision: 1, limit: 4 });
  expect([Buffer.from(head.bytes).toString(), head.truncated]).toEqual(['0123', true]);

  rig.audience.beforeReceipt = () => {
    throw new Error('Nobody is there yet');
  };
  await rig.write('b.cho', 'b');
  const { found } = await rig.bus.request('drive.rescan_requested', { bandId });
  const [change] = await rig.query(
    `select event_id as "eventId", file_id as "fileId", kind from drive_change where path = 'b.cho'`,
  );
  expect(found).toEqual([change]);
  rig.audience.beforeReceipt = () => undefined;
  await rig.settled();
  expect(await rig.bus.request('drive.rescan_requested', { bandId })).toEqual({ changes: 0, found: [] });
});

it('answers what it does not know with codes', async () => {
  for (const fileId of [randomUUID(), 'no uuid', "'; drop table drive_file; --"]) {
    await expect(rig.bus.request('drive.file_requested', { fileId })).rejects.toMatchObject({
      code: 'file_unknown',
      status: 404,
    });
    await expect(rig.bus.request('drive.bytes_requested', { fileId, revision: 1, limit: 1 })).rejects.toMatchObject({
      code: 'file_unknown',
    });
  }
  await expect(
    rig.bus.request('drive.bytes_requested', { fileId: file.fileId, revision: 7, limit: 1 }),
  ).rejects.toMatchObject({ code: 'revision_gone' });
  await expect(rig.bus.request('drive.rescan_requested', { bandId: 'nobody' })).rejects.toMatchObject({
    code: 'band_unknown',
  });
  await expect(rig.bus.request('drive.files_requested', { bandId: 'nobody' })).resolves.toEqual({ fileIds: [] });
});
