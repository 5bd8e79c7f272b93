import type { FaultyAnswer } from '../../../../test/fake-drive/faults.js';
import { bandId } from '../../test/drive-rig.js';
import { GoogleRig, type GoogleRigOptions } from '../../test/google-rig.js';

/** A test with a Drive of its own: all of them wait out pauses of a second or more, which pass together. */
const inDriveOfItsOwn =
  (test: (google: GoogleRig) => Promise<void>, options?: GoogleRigOptions) => async (): Promise<void> => {
    const google = await GoogleRig.running(options);
    try {
      await test(google);
    } finally {
      await google.tearDown();
    }
  };

const putTwo = async (google: GoogleRig): Promise<void> => {
  google.put('a.cho', 'a');
  google.put('b.cho', 'b', google.fake.folder('set', google.folder));
  await google.settled();
  google.news();
};

const passing: FaultyAnswer[] = [
  { status: 500 },
  { status: 503 },
  { status: 429 },
  { status: 403, reason: 'rateLimitExceeded' },
  { status: 403, reason: 'userRateLimitExceeded' },
];
for (const answer of passing) {
  it.concurrent(
    `tries again after ${answer.reason ?? answer.status}, and nobody notices`,
    inDriveOfItsOwn(async (google) => {
      google.fake.faults.answer({ operation: 'changes.list' }, answer);
      google.put('c.cho', 'c');
      await google.settled();
      expect(google.news()).toEqual(['added c.cho 1']);
    }),
  );
}

it.concurrent(
  'waits as long as Google asks, and says so to whoever cannot wait',
  inDriveOfItsOwn(async (google) => {
    await putTwo(google);
    google.fake.faults.answer({ operation: 'files.get' }, { status: 429, retryAfterS: 2 });
    const { fileId } = await google.rig.file('a.cho');
    const begunAt = performance.now();
    await (await google.rig.drive.open(fileId)).stream.toArray();
    expect(performance.now() - begunAt).toBeGreaterThanOrEqual(2_000);

    google.fake.faults.answer({ operation: 'files.get' }, { status: 429, retryAfterS: 60 });
    await expect(google.rig.drive.open(fileId)).rejects.toMatchObject({
      code: 'drive_busy',
      retryable: true,
      retryAfterMs: 60_000,
    });
  }),
);

it.concurrent(
  'stays what it was while Google is out of reach, tells it, and is well again by itself',
  inDriveOfItsOwn(async (google) => {
    const status = () => google.rig.drive.status(bandId);
    await putTwo(google);
    google.fake.faults.answer({ operation: 'changes.list' }, { status: 502 }, 3);
    await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'drive_unreachable', status: 503 });
    expect(await status()).toMatchObject({ state: 'watching', files: 2, error: { code: 'drive_unreachable' } });
    await google.settled();
    expect(await status()).toMatchObject({ state: 'watching', error: null });
    expect(google.news()).toEqual([]);
  }),
);

it.concurrent(
  'asks for tokens no more often than for anything else',
  inDriveOfItsOwn(async (google) => {
    google.fake.credentials.expireAccessTokens();
    const asked = google.asked('token');
    google.fake.faults.answer({ operation: 'token' }, { status: 503 }, 3);
    await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'drive_unreachable' });
    expect(google.asked('token') - asked).toBe(3);
    await google.settled();
  }),
);

it.concurrent(
  'comes up without the folder, says so, and finds it by itself as soon as it is there',
  inDriveOfItsOwn(async (google) => {
    google.fake.trash(google.folder);
    await google.restart();
    await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'folder_missing' });
    google.put('c.cho', 'c');
    google.fake.untrash(google.folder);
    await google.rig.audience.until((told) => told.length === 1);
    expect(google.news()).toEqual(['added c.cho 1']);
  }),
);

const clock = { at: Date.now(), now: () => clock.at };
it.concurrent(
  'waits and goes on when Google grants less than it is said to',
  inDriveOfItsOwn(
    async (google) => {
      google.put('a.cho', 'a');
      await google.settled();
      const scans = (async () => {
        while (google.fake.quota.refusals === 0) await google.rig.drive.rescan(bandId);
      })();
      await google.fake.server.until((served) => served.some(({ status }) => status === 403));
      clock.at += 60_000;
      await scans;
      expect(google.fake.quota.refusals).toBe(1);
    },
    { fake: { clock, limits: { perUser: 1_000, perProject: 1_000_000 } } },
  ),
);

it.concurrent(
  'tells what could be read though one document cannot be exported just now, and that one later',
  inDriveOfItsOwn(async (google) => {
    const doc = google.fake.googleDoc('doc', '%PDF', google.folder);
    google.put('a.cho', 'a');
    google.fake.faults.answer({ operation: 'files.export', fileId: doc }, { status: 500 }, 3);
    await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'drive_unreachable', retryable: true });
    expect(await google.rig.paths()).toEqual(['a.cho']);
    await google.settled();
    expect(await google.bytesOf('doc.pdf')).toBe('%PDF');
  }),
);

for (const name of ['c', 'b']) {
  it.concurrent(
    `keeps a document that cannot be exported just now the file that it was while it becomes ${name}.pdf and another takes its path`,
    inDriveOfItsOwn(async (google) => {
      const identities = async (): Promise<Record<string, string>> =>
        Object.fromEntries((await google.rig.drive.files(bandId)).map(({ path, fileId }) => [path, fileId]));
      const a = google.fake.googleDoc('a', '%PDF a', google.folder);
      const b = google.put('b.pdf', '%PDF b');
      await google.settled();
      const before = await identities();

      google.fake.editGoogleDoc(a, '%PDF a, edited');
      google.fake.rename(a, name);
      google.fake.rename(b, 'a.pdf');
      google.fake.faults.answer({ operation: 'files.export', fileId: a }, { status: 500 }, 3);
      await expect(google.rig.drive.rescan(bandId)).rejects.toMatchObject({ code: 'drive_unreachable' });
      const after = { [`${name}.pdf`]: before['a.pdf'], 'a.pdf': before['b.pdf'] };
      expect(await identities()).toEqual(after);
      expect(await google.bytesOf(`${name}.pdf`)).toBe('%PDF a');
      await google.settled();
      expect(await identities()).toEqual(after);
      expect(await google.bytesOf(`${name}.pdf`)).toBe('%PDF a, edited');
      expect(await google.bytesOf('a.pdf')).toBe('%PDF b');
    }),
  );
}
