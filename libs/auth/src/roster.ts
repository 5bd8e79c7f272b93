import { gathered, type Member, type Membership, type RightsChange, type Role } from '@soleil/bus';
import { QueryFailedError, type DataSource, type EntityManager } from 'typeorm';
import { AuthError } from './auth-error.js';
import { AuthBand } from './entities/band.entity.js';
import { AuthUser } from './entities/user.entity.js';
import { AuthMembership } from './entities/membership.entity.js';
import { bandSlug, checked, isId, login as loginSchema, newBand, newUser, part } from './input.js';
import type { Passwords } from './passwords.js';
import { lockUser } from './user-lock.js';

export interface User {
  userId: string;
  /** Lower case, unique. */
  login: string;
  name: string;
}

export interface Band {
  bandId: string;
  name: string;
  /** Lower case with hyphens, unique. */
  slug: string;
}

/** A band, as one of its members sees it. */
export interface BandOfUser {
  bandId: string;
  name: string;
  role: Role;
  instrument: string;
}

export interface NewUser {
  login: string;
  name: string;
  password: string;
}

export interface NewBand {
  name: string;
  /** Default: made of the name, `Blue Hour Big Band` → `blue-hour-big-band`. */
  slug?: string;
}

export interface Part extends Membership {
  userId: string;
}

/** Done in the transaction of a change, last; an error undoes the change. */
type Alongside = (change: RightsChange) => Promise<unknown>;

/** Who there is, and who plays what in which band. Every write is one transaction. */
export class Roster {
  private readonly membershipsOfOne = gathered((userIds: readonly string[]) =>
    readMemberships(this.dataSource.manager, userIds),
  );

  constructor(
    private readonly dataSource: DataSource,
    private readonly passwords: Passwords,
  ) {}

  async createUser(input: NewUser): Promise<User> {
    const { login, name, password } = checked(newUser, input);
    const row = { login, name, passwordHash: await this.passwords.hash(password) };
    const { identifiers } = await this.dataSource.manager.insert(AuthUser, row).catch((error: unknown) => {
      throw violates(error, 'auth_user_login') ? AuthError.loginTaken(login) : error;
    });
    return { userId: identifiers[0]!.id as string, login, name };
  }

  async createBand(input: NewBand): Promise<Band> {
    const { name } = checked(newBand, input);
    const { slug } = checked(bandSlug, { slug: input.slug ?? slugOf(name) });
    const { identifiers } = await this.dataSource.manager.insert(AuthBand, { name, slug }).catch((error: unknown) => {
      throw violates(error, 'auth_band_slug') ? AuthError.slugTaken(slug) : error;
    });
    return { bandId: identifiers[0]!.id as string, name, slug };
  }

  /** @returns whether anything changed */
  async setMembership({ userId, bandId, ...input }: Part, alongside: Alongside): Promise<boolean> {
    const { role, instrument } = checked(part, input);
    if (!isId(userId)) throw AuthError.userUnknown();
    if (!isId(bandId)) throw AuthError.bandUnknown();
    const after = { bandId, role, instrument };
    try {
      return await this.dataSource.transaction(async (transaction) => {
        if (!(await lockUser(transaction, userId))) throw AuthError.userUnknown();
        const before = await membershipIn(transaction, userId, bandId);
        if (before?.role === role && before.instrument === instrument) return false;
        await transaction.upsert(AuthMembership, { userId, ...after }, ['userId', 'bandId']);
        await alongside({ userId, bandId, before, after, transaction });
        return true;
      });
    } catch (error) {
      throw violates(error, 'auth_membership_band') ? AuthError.bandUnknown() : error;
    }
  }

  /** @returns whether there was one to remove */
  async removeMembership(userId: string, bandId: string, alongside: Alongside): Promise<boolean> {
    if (!isId(userId) || !isId(bandId)) return false;
    return this.dataSource.transaction(async (transaction) => {
      await lockUser(transaction, userId);
      const before = await membershipIn(transaction, userId, bandId);
      if (!before) return false;
      await transaction.delete(AuthMembership, { userId, bandId });
      await alongside({ userId, bandId, before, after: null, transaction });
      return true;
    });
  }

  async user(userId: string): Promise<User> {
    const row = isId(userId) ? await this.dataSource.manager.findOneBy(AuthUser, { id: userId }) : null;
    if (!row) throw AuthError.userUnknown();
    return { userId: row.id, login: row.login, name: row.name };
  }

  async userByLogin(login: string): Promise<(User & { passwordHash: string }) | null> {
    const parsed = loginSchema.safeParse(login);
    const row = parsed.success ? await this.dataSource.manager.findOneBy(AuthUser, { login: parsed.data }) : null;
    return row && { userId: row.id, login: row.login, name: row.name, passwordHash: row.passwordHash };
  }

  async bandBySlug(slug: string): Promise<Band | null> {
    const row = bandSlug.safeParse({ slug }).success ? await this.dataSource.manager.findOneBy(AuthBand, { slug }) : null;
    return row && { bandId: row.id, name: row.name, slug: row.slug };
  }

  async memberships(userId: string): Promise<Membership[]> {
    return isId(userId) ? ((await this.membershipsOfOne(userId.toLowerCase())) ?? []) : [];
  }

  /** As they are within that transaction. */
  async membershipsIn(transaction: EntityManager, userId: string): Promise<Membership[]> {
    return (await readMemberships(transaction, [userId])).get(userId) ?? [];
  }

  async members(bandId: string): Promise<Member[]> {
    const isKnown = isId(bandId) && (await this.dataSource.manager.existsBy(AuthBand, { id: bandId }));
    if (!isKnown) throw AuthError.bandUnknown();
    return (await this.dataSource.query<Member[]>(membersOf, [bandId])).sort(byName);
  }

  async bands(userId: string): Promise<BandOfUser[]> {
    await this.user(userId);
    return (await this.dataSource.query<BandOfUser[]>(bandsOf, [userId])).sort(byName);
  }
}

const collator = new Intl.Collator('en');

/** Not by the database, whose order of letters is its installation's. Of the same name, ascending by id. */
const byName = (one: { name: string }, other: { name: string }): number => collator.compare(one.name, other.name);

async function membershipIn(transaction: EntityManager, userId: string, bandId: string): Promise<Membership | null> {
  const row = await transaction.findOneBy(AuthMembership, { userId, bandId });
  return row && { bandId, role: row.role, instrument: row.instrument };
}

const violates = (error: unknown, constraint: string): boolean =>
  error instanceof QueryFailedError && (error.driverError as { constraint?: string }).constraint === constraint;

const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 100)
    .replace(/^-|-$/g, '');

async function readMemberships(manager: EntityManager, userIds: readonly string[]): Promise<Map<string, Membership[]>> {
  const rows = await manager.query<{ userId: string; memberships: Membership[] }[]>(membershipsOf, [userIds]);
  return new Map(rows.map(({ userId, memberships }) => [userId, memberships]));
}

const membershipsOf = `
  select user_id as "userId",
         json_agg(json_build_object('bandId', band_id, 'role', role, 'instrument', instrument) order by band_id) as memberships
  from auth_membership where user_id = any($1) group by user_id`;

const membersOf = `
  select m.user_id as "userId", u.name, m.instrument, m.role
  from auth_membership m join auth_user u on u.id = m.user_id
  where m.band_id = $1 order by u.id`;

const bandsOf = `
  select m.band_id as "bandId", b.name, m.role, m.instrument
  from auth_membership m join auth_band b on b.id = m.band_id
  where m.user_id = $1 order by b.id`;
