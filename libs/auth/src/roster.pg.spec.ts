import { randomUUID } from 'node:crypto';
import type { RightsChange } from '@soleil/bus';
import type { TestDatabase } from '../../../test/support/database.js';
import { authDatabase, startPlatform, type Platform } from '../test/platform.js';
import { authMigrations } from './migrations/index.js';
import type { Band, User } from './roster.js';

let database: TestDatabase;
let platform: Platform;
let ella: User;
let band: Band;
beforeEach(async () => {
  database = await authDatabase();
  platform = await startPlatform(database.url);
  ella = await platform.auth.createUser({ login: 'Ella', name: ' Ella Brass ', password: 'blue in green' });
  band = await platform.auth.createBand({ name: 'Blue Hour Big Band' });
});
afterEach(async () => {
  await platform.app.close();
  await database.drop();
});

const join = (instrument = 'trumpet', role: 'member' | 'leader' = 'member') =>
  platform.auth.setMembership({ userId: ella.userId, bandId: band.bandId, role, instrument });

const permissionsTold = () =>
  platform.listener.told.filter(({ name }) => name === 'auth.permission_updated').map(({ fact }) => fact);

describe('users', () => {
  it('are found by id and by login', async () => {
    expect(ella).toEqual({ userId: expect.any(String), login: 'ella', name: 'Ella Brass' });
    await expect(platform.auth.user(ella.userId)).resolves.toEqual(ella);
    await expect(platform.auth.userByLogin(' ELLA')).resolves.toEqual(ella);
    await expect(platform.auth.userByLogin('louis')).resolves.toBeNull();
    await expect(platform.auth.userByLogin('')).resolves.toBeNull();
  });

  it('that are unknown are said to be', async () => {
    for (const userId of [randomUUID(), 'ella']) {
      await expect(platform.auth.user(userId)).rejects.toMatchObject({ code: 'user_unknown', status: 404 });
      await expect(platform.auth.bands(userId)).rejects.toMatchObject({ code: 'user_unknown', status: 404 });
    }
  });

  it('cannot share a login, in whatever case, nor when created at once', async () => {
    const taken = { code: 'login_taken', status: 409, details: { login: 'ella' } };
    await expect(
      platform.auth.createUser({ login: 'ELLA', name: 'Another', password: 'blue in green' }),
    ).rejects.toMatchObject(taken);
    const louis = { login: 'louis', name: 'Louis', password: 'what a world' };
    const outcomes = await Promise.allSettled([platform.auth.createUser(louis), platform.auth.createUser(louis)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('need a password of eight characters, counted as people count them', async () => {
    const create = (password: string) => platform.auth.createUser({ login: 'louis', name: 'Louis', password });
    const tooShort = { code: 'password_too_short', status: 400, details: { minimum: 8 } };
    await expect(create('seven77')).rejects.toMatchObject(tooShort);
    await expect(create('🎺🎺🎺🎺')).rejects.toMatchObject(tooShort);
    await expect(create('eight888')).resolves.toMatchObject({ login: 'louis' });
  });

  it('are refused for what no screen could show, by the name of the field', async () => {
    const impossible = [
      { login: 'big ella' },
      { login: '' },
      { login: 'el\0la' },
      { name: '  ' },
      { name: 'El\nla' },
      { password: 'x'.repeat(1025) },
    ];
    for (const change of impossible) {
      const user = { login: 'louis', name: 'Louis', password: 'what a world', ...change };
      const refusal = { code: 'input_invalid', status: 400, details: { fields: Object.keys(change) } };
      await expect(platform.auth.createUser(user)).rejects.toMatchObject(refusal);
    }
  });
});

describe('bands', () => {
  it('get a slug from their name, and are found by it', async () => {
    expect(band).toEqual({ bandId: expect.any(String), name: 'Blue Hour Big Band', slug: 'blue-hour-big-band' });
    await expect(platform.auth.bandBySlug('blue-hour-big-band')).resolves.toEqual(band);
    await expect(platform.auth.bandBySlug('Blue Hour')).resolves.toBeNull();
    await expect(platform.auth.createBand({ name: 'Die Frühaufsteher!' })).resolves.toMatchObject({
      slug: 'die-fruhaufsteher',
    });
    await expect(platform.auth.createBand({ name: '東京ジャズ', slug: 'tokyo-jazz' })).resolves.toMatchObject({
      slug: 'tokyo-jazz',
    });
  });

  it('cannot share a slug', async () => {
    await expect(platform.auth.createBand({ name: 'Blue Hour, Big Band' })).rejects.toMatchObject({
      code: 'slug_taken',
      status: 409,
      details: { slug: 'blue-hour-big-band' },
    });
  });

  it('are refused without a name, and where neither name nor slug makes an address', async () => {
    const refusal = (field: string) => ({ code: 'input_invalid', status: 400, details: { fields: [field] } });
    await expect(platform.auth.createBand({} as never)).rejects.toMatchObject(refusal('name'));
    await expect(platform.auth.createBand({ name: '東京ジャズ' })).rejects.toMatchObject(refusal('slug'));
    await expect(platform.auth.createBand({ name: 'Blue', slug: '../etc' })).rejects.toMatchObject(refusal('slug'));
  });
});

describe('memberships', () => {
  it('are seen from the user, from the band, and over the bus', async () => {
    const louis = await platform.auth.createUser({ login: 'louis', name: 'Louis', password: 'what a world' });
    const duo = await platform.auth.createBand({ name: 'Afternoon Duo' });
    await join();
    await platform.auth.setMembership({
      userId: louis.userId,
      bandId: band.bandId,
      role: 'leader',
      instrument: ' alto sax ',
    });
    await platform.auth.setMembership({ userId: ella.userId, bandId: duo.bandId, role: 'leader', instrument: 'voice' });

    await expect(platform.auth.members(band.bandId)).resolves.toEqual([
      { userId: ella.userId, name: 'Ella Brass', instrument: 'trumpet', role: 'member' },
      { userId: louis.userId, name: 'Louis', instrument: 'alto sax', role: 'leader' },
    ]);
    await expect(platform.auth.bands(ella.userId)).resolves.toEqual([
      { bandId: duo.bandId, name: 'Afternoon Duo', role: 'leader', instrument: 'voice' },
      { bandId: band.bandId, name: 'Blue Hour Big Band', role: 'member', instrument: 'trumpet' },
    ]);
    const { memberships } = await platform.bus.request('auth.memberships_requested', { userId: ella.userId });
    expect(memberships).toEqual(await platform.auth.memberships(ella.userId));
    expect(memberships).toHaveLength(2);
    expect(memberships).toContainEqual({ bandId: band.bandId, role: 'member', instrument: 'trumpet' });
  });

  it('are listed as people sort names', async () => {
    for (const name of ['zoe', 'Émile', 'Frank']) {
      const { userId } = await platform.auth.createUser({ login: name, name, password: 'what a world' });
      await platform.auth.setMembership({ userId, bandId: band.bandId, role: 'member', instrument: 'drums' });
    }
    await join();
    const { members } = await platform.bus.request('auth.members_requested', { bandId: band.bandId });
    expect(members.map(({ name }) => name)).toEqual(['Ella Brass', 'Émile', 'Frank', 'zoe']);
  });

  it('are told when given, changed and taken, each after its commit', async () => {
    const seen: unknown[] = [];
    platform.listener.onFact = async () => void seen.push(await platform.auth.memberships(ella.userId));
    await join('trumpet');
    await join('flugelhorn');
    await join('flugelhorn', 'leader');
    await platform.auth.removeMembership(ella.userId, band.bandId);
    const { bandId } = band;
    expect(seen).toEqual([
      [{ bandId, role: 'member', instrument: 'trumpet' }],
      [{ bandId, role: 'member', instrument: 'flugelhorn' }],
      [{ bandId, role: 'leader', instrument: 'flugelhorn' }],
      [],
    ]);
    expect(permissionsTold()).toEqual(seen.map(() => ({ userId: ella.userId, bandId, at: expect.any(String) })));
  });

  it('are told with what was and what will be, inside the transaction that changes them', async () => {
    const seen: unknown[] = [];
    platform.listener.onChange = async ({ transaction }) => {
      const inside = await transaction.query(`select instrument from auth_membership where user_id = $1`, [ella.userId]);
      seen.push({ outside: await platform.auth.memberships(ella.userId), inside });
    };
    await join('trumpet');
    await join('flugelhorn');
    await platform.auth.removeMembership(ella.userId, band.bandId);
    const { bandId } = band;
    const [trumpet, flugelhorn] = ['trumpet', 'flugelhorn'].map((instrument) => ({ bandId, role: 'member', instrument }));
    const change = { userId: ella.userId, bandId, transaction: expect.anything() };
    expect(platform.listener.changes).toEqual([
      { ...change, before: null, after: trumpet },
      { ...change, before: trumpet, after: flugelhorn },
      { ...change, before: flugelhorn, after: null },
    ]);
    expect(seen).toEqual([
      { outside: [], inside: [{ instrument: 'trumpet' }] },
      { outside: [trumpet], inside: [{ instrument: 'flugelhorn' }] },
      { outside: [flugelhorn], inside: [] },
    ]);
  });

  it('stay as they were, and nobody hears of it afterwards, when a listener of the change fails', async () => {
    await join('trumpet');
    const before = await platform.auth.memberships(ella.userId);
    platform.listener.onChange = () => {
      throw new Error('the outbox is closed');
    };
    await expect(join('drums')).rejects.toThrow('the outbox is closed');
    await expect(platform.auth.removeMembership(ella.userId, band.bandId)).rejects.toThrow('the outbox is closed');
    await expect(platform.auth.memberships(ella.userId)).resolves.toEqual(before);
    expect(permissionsTold()).toHaveLength(1);
  });

  it('are changed one after another: each change knows what the one before it left', async () => {
    const instruments = ['trumpet', 'drums', 'piano', 'voice', 'tuba'];
    await Promise.all(instruments.map((instrument) => join(instrument)));
    const changes = platform.listener.changes as RightsChange[];
    expect(changes.map(({ before }) => before)).toEqual([null, ...changes.slice(0, -1).map(({ after }) => after)]);
    expect(new Set(changes.map(({ after }) => after?.instrument))).toEqual(new Set(instruments));
  });

  it('are not told when nothing changed', async () => {
    await join();
    await join();
    await platform.auth.removeMembership(ella.userId, band.bandId);
    await platform.auth.removeMembership(ella.userId, band.bandId);
    await platform.auth.removeMembership('nobody', 'nowhere');
    expect(permissionsTold()).toHaveLength(2);
    expect(platform.listener.changes).toHaveLength(2);
  });

  it('are told once when the same one is given twice at once', async () => {
    await Promise.all([join(), join()]);
    expect(permissionsTold()).toHaveLength(1);
  });

  it('hold although a listener fails', async () => {
    platform.listener.onFact = () => {
      throw new Error('out of order');
    };
    await join();
    await expect(platform.auth.memberships(ella.userId)).resolves.toHaveLength(1);
  });

  it('need a user and a band that exist', async () => {
    const part = { userId: ella.userId, bandId: band.bandId, role: 'member', instrument: 'trumpet' } as const;
    for (const id of [randomUUID(), 'nobody']) {
      await expect(platform.auth.setMembership({ ...part, userId: id })).rejects.toMatchObject({
        code: 'user_unknown',
        status: 404,
      });
      await expect(platform.auth.setMembership({ ...part, bandId: id })).rejects.toMatchObject({
        code: 'band_unknown',
        status: 404,
      });
      await expect(platform.auth.members(id)).rejects.toMatchObject({ code: 'band_unknown', status: 404 });
      await expect(platform.auth.memberships(id)).resolves.toEqual([]);
    }
  });

  it('need a known role and an instrument', async () => {
    await expect(join('')).rejects.toMatchObject({ code: 'input_invalid', details: { fields: ['instrument'] } });
    await expect(join('trumpet', 'roadie' as never)).rejects.toMatchObject({
      code: 'input_invalid',
      details: { fields: ['role'] },
    });
    expect(permissionsTold()).toEqual([]);
  });
});

it('takes its tables away when its migrations are undone', async () => {
  const runner = platform.dataSource.createQueryRunner();
  for (const Migration of [...authMigrations].reverse()) await new Migration().down(runner);
  await runner.release();
  const left = await platform.dataSource.query(
    `select table_name from information_schema.tables where table_name like 'auth\\_%'`,
  );
  expect(left).toEqual([]);
});
