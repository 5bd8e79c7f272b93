import { execFileSync } from 'node:child_process';
import { chmod, mkdir, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { bandId, DriveRig } from '../test/drive-rig.js';

let rig: DriveRig;
afterEach(() => rig.tearDown());

it('keeps names with odd characters as they are, and serves them', async () => {
  rig = await DriveRig.running();
  const names = [
    "Don't Get Around (live) #2 100%.cho",
    'new\nline\ttab.cho',
    'back\\slash.cho',
    '“quotes” & <tags>.cho',
    '🎺 Für Élise.cho',
    ' leading space.cho',
    '*?[glob]{a,b}.cho',
    'é.cho'.normalize('NFC'),
    'é.cho'.normalize('NFD'),
    `${'x'.repeat(251)}.cho`,
  ];
  for (const name of names) await rig.write(name, name);
  await rig.settled();

  expect(await rig.paths()).toEqual([...names].sort());
  for (const file of await rig.drive.files(bandId))
    expect(await text((await rig.drive.open(file.fileId)).stream)).toBe(file.path);
});

it('leaves out a file whose name is not UTF-8, and a path that is too long, and goes on', async () => {
  rig = await DriveRig.running();
  await writeFile(
    Buffer.concat([Buffer.from(`${rig.root}/`), Buffer.from([0x66, 0xfc, 0x72]), Buffer.from('.cho')]),
    'latin-1',
  );
  await rig.write(
    `${'d'.repeat(250)}/${'e'.repeat(250)}/${'f'.repeat(250)}/${'g'.repeat(250)}/${'h'.repeat(100)}.cho`,
    'deep',
  );
  await rig.write('a.cho', 'a');
  await rig.settled();
  expect(await rig.paths()).toEqual(['a.cho']);
});

it('leaves out what is no file', async () => {
  rig = await DriveRig.running();
  execFileSync('mkfifo', [rig.at('pipe.cho')]);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(rig.at('socket.cho'), resolve));
  await mkdir(rig.at('folder.cho'));
  await rig.write('a.cho', 'a');
  await rig.settled();
  await new Promise((resolve) => server.close(resolve));
  expect(await rig.paths()).toEqual(['a.cho']);
});

it('lists a file that is too large with the reason, and serves it when it has shrunk', async () => {
  rig = await DriveRig.running({ maxFileBytes: 1_000 });
  await rig.write('large.mp3', Buffer.alloc(1_001));
  await rig.write('fits.mp3', Buffer.alloc(1_000));
  await rig.settled();
  const large = await rig.file('large.mp3');
  expect(large).toMatchObject({ size: 0, hash: '', problem: { code: 'file_too_large' } });
  expect(await rig.file('fits.mp3')).toMatchObject({ size: 1_000, problem: null });
  await expect(rig.drive.open(large.fileId)).rejects.toMatchObject({ code: 'file_too_large', status: 413 });

  await truncate(rig.at('large.mp3'), 900);
  await rig.settled();
  expect(await rig.file('large.mp3')).toMatchObject({ fileId: large.fileId, size: 900, revision: 2, problem: null });
});

describe('as a user who may not read everything', () => {
  const isRoot = process.getuid?.() === 0;
  const nobody = 65_534;
  beforeEach(async () => {
    rig = await DriveRig.running();
    await chmod(rig.outside, 0o755);
    if (isRoot) process.seteuid!(nobody);
  });
  afterEach(() => {
    if (isRoot) process.seteuid!(0);
  });
  const asOwner = async (work: () => Promise<void>): Promise<void> => {
    if (isRoot) process.seteuid!(0);
    await work();
    if (isRoot) process.seteuid!(nobody);
  };

  it('lists a file that may not be read with the reason, and serves it once it may', async () => {
    await asOwner(async () => {
      await rig.write('a.cho', 'a');
      await chmod(rig.at('a.cho'), 0);
    });
    await rig.settled();
    const file = await rig.file('a.cho');
    expect(file).toMatchObject({ size: 0, hash: '', problem: { code: 'not_readable' } });
    await expect(rig.drive.open(file.fileId)).rejects.toMatchObject({ code: 'not_readable' });

    await asOwner(() => chmod(rig.at('a.cho'), 0o644));
    await rig.settled();
    expect(await text((await rig.drive.open(file.fileId)).stream)).toBe('a');
    expect(rig.told).toEqual(['added a.cho 1', 'changed a.cho 2']);
  });

  it('takes nothing for removed in a folder that may not be entered', async () => {
    await asOwner(() => rig.write('songs/a.cho', 'a'));
    await rig.settled();
    await asOwner(() => chmod(rig.at('songs'), 0));
    await rig.settled();
    expect(await rig.file('songs/a.cho')).toMatchObject({ problem: { code: 'not_readable' } });

    await asOwner(() => chmod(rig.at('songs'), 0o755));
    await rig.settled();
    expect(await rig.file('songs/a.cho')).toMatchObject({ size: 1, problem: null });
    expect(rig.told.filter((line) => line.startsWith('removed'))).toEqual([]);
  });
});
