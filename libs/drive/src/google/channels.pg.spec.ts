import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodedError, type Answer } from '@soleil/bus';
import { DataSource } from 'typeorm';
import { bandId, Platform } from '../../test/drive-rig.js';
import { GoogleRig } from '../../test/google-rig.js';

const webhookUrl = 'https://band.example.test/sync/webhook/drive';

/** Receives notifications as the platform's route does: asks Drive, and answers 202 or the status of the failure. */
class Webhook {
  readonly taken: Answer<'drive.webhook_presented'>[] = [];
  readonly refused: CodedError[] = [];
  private readonly waiting = new Set<() => void>();
  private server: Server | null = null;

  async open(google: GoogleRig): Promise<void> {
    const server = createServer((request, response) => {
      google.rig.bus.request('drive.webhook_presented', { headers: request.headers }).then(
        (notification) => this.answer(202, () => this.taken.push(notification), response),
        (error: unknown) => {
          // The platform is going down.
          if (!(error instanceof CodedError)) return this.answer(500, () => undefined, response);
          this.answer(error.status, () => this.refused.push(error), response);
        },
      );
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    google.fake.push.route = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.waiting.add(resolve));
  }

  close(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private answer(status: number, record: () => void, response: { writeHead(status: number): { end(): void } }): void {
    record();
    response.writeHead(status).end();
    for (const check of this.waiting) check();
    this.waiting.clear();
  }
}

let google: GoogleRig;
let webhook: Webhook;
beforeEach(async () => {
  webhook = new Webhook();
  google = await GoogleRig.build({ google: { webhookUrl } });
  await webhook.open(google);
});
afterEach(async () => {
  await google.tearDown();
  webhook.close();
});

const watched = (times = 1): Promise<void> =>
  google.fake.server.until((served) => served.filter(({ operation }) => operation === 'changes.watch').length >= times);
const channels = (): Promise<{ channel_id: string; token: string; resource_id: string }[]> =>
  google.rig.query('select channel_id, token, resource_id from drive_channel order by expires_at');

/** The headers of a genuine notification of the only channel. */
async function genuine(): Promise<Record<string, string>> {
  await webhook.until(() => webhook.taken.length > 0);
  const [channel] = await channels();
  return {
    host: 'band.example.test',
    'x-goog-channel-id': channel!.channel_id,
    'x-goog-channel-token': channel!.token,
    'x-goog-message-number': '7',
    'x-goog-resource-id': channel!.resource_id,
    'x-goog-resource-state': 'change',
    'x-goog-resource-uri': 'https://www.googleapis.com/drive/v3/changes',
  };
}

it.each([false, true])('takes the first notification, though it come before the answer: %s', async (syncsFirst) => {
  google.fake.push.syncsFirst = syncsFirst;
  await google.start();
  await webhook.until(() => webhook.taken.length === 1);
  const [channel] = google.fake.push.openChannels;
  expect(webhook.taken).toEqual([{ bandId, eventId: `google:${channel!.id}:1`, state: 'sync' }]);
  expect(channel!.address).toBe(webhookUrl);
  expect(channel!.expiresAt - Date.now()).toBeGreaterThan(6 * 24 * 3_600_000);
});

it('looks at once when a notification comes, and knows a repeated one by its event id', async () => {
  await google.start();
  await webhook.until(() => webhook.taken.length === 1);
  google.fake.push.copies = 2;
  google.put('a.cho', 'a');
  await google.rig.audience.until((told) => told.length === 1);
  await google.fake.push.settled();
  expect(google.news()).toEqual(['added a.cho 1']);
  const [, one, other] = webhook.taken;
  expect(one).toEqual({ bandId, eventId: expect.stringMatching(/^google:.+:4$/), state: 'change' });
  expect(other).toEqual(one);
});

it('keeps its subscription over a restart', async () => {
  await google.start();
  await webhook.until(() => webhook.taken.length === 1);
  await google.restart();
  google.put('a.cho', 'a');
  await google.rig.audience.until((told) => told.length === 1);
  expect(google.asked('changes.watch')).toBe(1);
  expect(google.asked('channels.stop')).toBe(0);
});

it('makes a new subscription before the old one ends, and then ends that', async () => {
  await google.start();
  await kept();
  const [old] = await channels();
  await outlive();
  const stopping = google.fake.faults.hold({ operation: 'channels.stop' }, 1);
  google.put('a.cho', 'a');
  await stopping.arrived;
  expect(google.fake.push.openChannels.map(({ id }) => id)).toHaveLength(2);
  stopping.open();
  await google.fake.server.until((served) => served.some(({ operation }) => operation === 'channels.stop'));
  await google.rig.platforms.at(-1)!.stop();

  const { openChannels } = google.fake.push;
  expect(openChannels).toHaveLength(1);
  expect(openChannels[0]!.id).not.toBe(old!.channel_id);
});

it('ends its subscription when the band is connected to another place', async () => {
  await google.start();
  await webhook.until(() => webhook.taken.length === 1);
  const headers = await genuine();
  await google.rig.drive.connectFolder({ bandId, root: google.rig.root });
  expect(google.fake.push.openChannels).toEqual([]);
  expect(await channels()).toEqual([]);
  await expect(google.rig.bus.request('drive.webhook_presented', { headers })).rejects.toMatchObject({
    code: 'webhook_unknown',
    status: 404,
  });
});

it('finds changes by asking when Google makes no subscription', async () => {
  google.fake.faults.answer({ operation: 'changes.watch' }, { status: 403, reason: 'forbidden' });
  await google.start();
  await watched();
  google.put('a.cho', 'a');
  await google.settled();
  expect(google.news()).toEqual(['added a.cho 1']);
  expect(await channels()).toEqual([]);
  expect(await google.rig.drive.status(bandId)).toMatchObject({ state: 'watching', error: null });
});

it('believes no notification that is not just as Google would send it', async () => {
  await google.start();
  const headers = await genuine();
  const present = (changed: Record<string, string | string[] | undefined>): Promise<unknown> =>
    google.rig.bus.request('drive.webhook_presented', { headers: { ...headers, ...changed } });

  await expect(present({})).resolves.toEqual({
    bandId,
    eventId: `google:${headers['x-goog-channel-id']}:7`,
    state: 'change',
  });
  const token = headers['x-goog-channel-token']!;
  const forged: Record<string, (string | string[] | undefined)[]> = {
    'x-goog-channel-token': [undefined, '', 'x', token.slice(1), `${token} `, token.toUpperCase(), [token, token]],
    'x-goog-message-number': [undefined, '', '0', '-1', '1.5', '1e3', ' 1', '٣', '99999999999999999999'],
    'x-goog-resource-state': [undefined, '', 'CHANGE', "'; drop table drive_file; --"],
    'x-goog-resource-id': [undefined, '', 'another'],
    'x-goog-channel-id': [undefined, '', 'x'.repeat(65)],
  };
  for (const [name, values] of Object.entries(forged)) {
    for (const value of values)
      await expect(present({ [name]: value })).rejects.toMatchObject({ code: 'webhook_invalid', status: 400 });
  }
  await expect(present({ 'x-goog-channel-id': 'nobody' })).rejects.toMatchObject({ code: 'webhook_unknown' });
  await expect(google.rig.bus.request('drive.webhook_presented', { headers: {} })).rejects.toMatchObject({
    code: 'webhook_unknown',
  });
  await google.rig.query(`update drive_channel set expires_at = clock_timestamp()`);
  await expect(present({})).rejects.toMatchObject({ code: 'webhook_unknown' });
});

const openIds = (): string[] => google.fake.push.openChannels.map(({ id }) => id);
/** Whatever process is there, or none. */
async function write(sql: string): Promise<void> {
  const dataSource = await new DataSource({ type: 'postgres', url: google.rig.database.url }).initialize();
  await dataSource.query(sql);
  await dataSource.destroy();
}
/** As if the time had come to make another one. */
const outlive = (): Promise<void> => write('update drive_channel set renew_at = clock_timestamp()');
const refuseToStop = (): void =>
  google.fake.faults.answer({ operation: 'channels.stop' }, { status: 403, reason: 'forbidden' });

/** Resolves when Google's answer is stored, which may come later than the first notification, and says that there is one for days. */
async function kept(): Promise<void> {
  const isKept = `select from drive_channel where renew_at > clock_timestamp() + interval '1 hour'`;
  while ((await google.rig.query(isKept)).length === 0);
}

/** A process that keeps its subscription, has asked to end so many others, and ends. */
async function session({ settings, endings = 0 }: { settings?: object; endings?: number } = {}): Promise<void> {
  const before = google.asked('channels.stop');
  await google.start(settings);
  await kept();
  await google.fake.server.until(() => google.asked('channels.stop') >= before + endings);
  await google.rig.platforms.at(-1)!.stop();
}

it('keeps the subscription of another process, and ends its own, when its answer comes after that was made', async () => {
  const late = google.fake.faults.hold({ operation: 'changes.watch' }, 1);
  await google.start();
  await late.arrived;
  await outlive();
  await session();
  const [kept] = openIds();
  late.open();
  await google.fake.server.until((served) => served.some(({ operation }) => operation === 'channels.stop'));
  await google.fake.push.settled();
  await google.rig.platforms[0]!.stop();
  expect(openIds()).toEqual([kept]);
});

it('ends every subscription that was replaced, though one of them cannot be ended now, and that one later', async () => {
  await session();
  await outlive();
  refuseToStop();
  await session({ endings: 1 });
  expect(openIds()).toHaveLength(2);
  await outlive();
  refuseToStop();
  await session({ endings: 2 });
  expect(openIds()).toHaveLength(2);
  await session({ endings: 1 });
  expect(openIds()).toHaveLength(1);
});

it('ends what Google made for a process that died before it had the answer, as soon as a notification comes of it', async () => {
  await session();
  const [orphan] = openIds();
  await google.fake.push.settled();
  webhook.refused.length = 0;
  await write('update drive_channel set resource_id = null, renew_at = clock_timestamp()');
  await session();
  expect(openIds()).toHaveLength(2);
  expect(google.asked('channels.stop')).toBe(0);

  await google.start();
  google.put('a.cho', 'a');
  await google.rig.audience.until((told) => told.length === 1);
  await google.fake.server.until(() => google.asked('channels.stop') === 1);
  await google.fake.push.settled();
  await google.rig.platforms.at(-1)!.stop();
  expect(openIds()).toHaveLength(1);
  expect(openIds()).not.toContain(orphan);
  expect(webhook.refused).toEqual([]);
});

it('makes a subscription of its own where another place was connected by a process that died at once', async () => {
  await session();
  const [old] = openIds();
  await session({ settings: { folderId: google.fake.folder('Another Band') }, endings: 1 });
  expect(openIds()).toHaveLength(1);
  expect(openIds()).not.toContain(old);
});

it('refuses notifications for a band that is connected to something else by now', async () => {
  await google.start();
  const headers = await genuine();
  await google.rig.platforms.at(-1)!.stop();
  // By a process that died before it ended the subscription.
  await write(`update drive_folder set provider = 'folder', settings = '{"root":"/nowhere"}'`);
  await Platform.boot(google.rig.database.url, google.rig.audience, google.rig.options).then((platform) =>
    google.rig.platforms.push(platform),
  );
  await expect(google.rig.bus.request('drive.webhook_presented', { headers })).rejects.toMatchObject({
    code: 'webhook_unknown',
  });
});

it('leaves none behind that is made while the band goes to another place', async () => {
  const late = google.fake.faults.hold({ operation: 'changes.watch' }, 1);
  await google.start();
  await late.arrived;
  await google.rig.start();
  expect(await channels()).toEqual([]);
  late.open();
  await google.fake.server.until((served) => served.some(({ operation }) => operation === 'channels.stop'));
  await google.rig.platforms[0]!.stop();
  expect(openIds()).toEqual([]);
  expect(await channels()).toEqual([]);
});
