import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { DriveProvider, DriveSource, SourceConnection } from '@soleil/drive';
import { bandId, DriveRig } from '../test/drive-rig.js';

/** A drive in the cloud, as they all are: it lists changes after a token, and knows files by ids of its own. */
class Cloud implements DriveProvider {
  readonly name = 'cloud';
  readonly changes: { id: string; path: string | null; was?: string; content: string }[] = [];
  readonly askedFrom: number[] = [];

  checkSettings(settings: unknown): Record<string, unknown> {
    return settings as Record<string, unknown>;
  }

  connect(connection: SourceConnection): DriveSource {
    return new CloudSource(this, connection);
  }
}

class CloudSource implements DriveSource {
  constructor(
    private readonly cloud: Cloud,
    private readonly connection: SourceConnection,
  ) {}

  start(): void {}

  async stop(): Promise<void> {}

  status() {
    return { state: 'watching' as const, lastScanAt: null, error: null };
  }

  async rescan(): Promise<number> {
    const { changeLog } = this.connection;
    const token = Number((await changeLog.cursor())?.['token'] ?? 0);
    this.cloud.askedFrom.push(token);
    const sightings = this.cloud.changes.slice(token).flatMap(({ id, path, was, content }) => [
      ...(was ? [{ seen: 'gone' as const, path: was }] : []),
      ...(path
        ? [
            {
              seen: 'present' as const,
              path,
              sourceId: id,
              size: content.length,
              hash: `md5 ${content}`,
              modifiedAt: '2026-11-23T00:00:00.000Z',
              fingerprint: { content },
              linkTarget: null,
              problem: null,
              hasNewerNamesake: false,
            },
          ]
        : []),
    ]);
    return (await changeLog.commit(sightings, { token: this.cloud.changes.length })).length;
  }

  async open(file: { fingerprint: Record<string, string> }, range: { start: number; end: number }): Promise<Readable> {
    return Readable.from([Buffer.from(file.fingerprint['content'] ?? '').subarray(range.start, range.end + 1)]);
  }
}

let rig: DriveRig;
afterEach(() => rig.tearDown());

it('lets a provider with change tokens go on from the token that was committed with its changes', async () => {
  const cloud = new Cloud();
  rig = await DriveRig.build({ providers: [cloud] });
  const connection = { bandId, provider: 'cloud', settings: { drive: '1' } };
  const first = await rig.start(connection);
  cloud.changes.push({ id: 'x', path: 'a.cho', content: 'one' });
  await rig.settled();
  await first.stop();

  const { drive } = await rig.start(connection);
  cloud.changes.push({ id: 'x', path: 'b.cho', was: 'a.cho', content: 'two' });
  await rig.settled();
  expect(cloud.askedFrom).toEqual([0, 1]);
  expect(rig.told).toEqual(['added a.cho 1', 'changed b.cho 2']);
  expect(await drive.status(bandId)).toMatchObject({ provider: 'cloud', files: 1, pendingChanges: 0 });
  expect(await text((await drive.open((await rig.file('b.cho')).fileId, { range: { start: 1, end: 2 } })).stream)).toBe(
    'wo',
  );
});
