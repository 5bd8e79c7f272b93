import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import {
  Bus,
  type FactName,
  type Facts,
  type Member,
  type Membership,
  type Principal,
  type RightsChange,
} from '@soleil/bus';
import { DataSource } from 'typeorm';
import { AuthError } from './auth-error.js';
import { AuthSettings } from './auth-options.js';
import { checked, credentials, login as loginSchema } from './input.js';
import { Passwords } from './passwords.js';
import { Roster, type Band, type BandOfUser, type NewBand, type NewUser, type Part, type User } from './roster.js';
import { Sessions, type OpenedSession } from './sessions.js';
import { SignInThrottle } from './sign-in-throttle.js';
import { SigningKey } from './signing-key.js';

export interface Credentials {
  login: string;
  password: string;
  /** The browser's own description of itself; kept with the session. */
  userAgent?: string;
}

export interface SignedIn extends OpenedSession {
  user: User;
}

/**
 * Who somebody is, and what they play where. Facts in `-ing` are told inside the transaction that takes or gives: a
 * listener that fails undoes it, and its error is thrown. The others are told after the commit they are about, and awaited;
 * a listener that fails is logged and undoes nothing, since what it was told of has happened.
 */
@Injectable()
export class AuthService implements OnModuleInit {
  private readonly log = new Logger('Auth');
  private readonly key: SigningKey;
  private readonly passwords: Passwords;
  private readonly throttle: SignInThrottle;
  private readonly sessions: Sessions;
  private readonly roster: Roster;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly bus: Bus,
    private readonly settings: AuthSettings,
  ) {
    this.key = new SigningKey(dataSource, settings.secret);
    this.passwords = new Passwords(settings);
    this.throttle = new SignInThrottle(dataSource, settings.clock);
    this.sessions = new Sessions(dataSource, this.key, settings);
    this.roster = new Roster(dataSource, this.passwords);
  }

  async onModuleInit(): Promise<void> {
    await Promise.all([this.key.get(), this.passwords.decoyHash()]);
  }

  /**
   * Begins a session; tells `auth.user_logged_in`.
   * @throws AuthError `credentials_wrong`; `too_many_attempts` (retryable, `details.retryAfterMs`) when ten attempts with
   *   this login failed within five minutes, whatever the password; `input_invalid`
   */
  async signIn(input: Credentials): Promise<SignedIn> {
    const { login: given, password, userAgent } = checked(credentials, input);
    const parsed = loginSchema.safeParse(given);
    if (!parsed.success) throw AuthError.credentialsWrong();
    const login = parsed.data;
    const signedIn = await this.throttle.inTurn(login, async () => {
      await this.throttle.admit(login);
      const user = await this.identify(login, password);
      const session = await this.sessions.open(user.userId, userAgent, (manager) => this.throttle.forgive(manager, login));
      return { ...session, user };
    });
    await this.tell('auth.user_logged_in', { userId: signedIn.user.userId, sessionId: signedIn.sessionId, at: this.now() });
    return signedIn;
  }

  /**
   * Ends a session for good; tells `auth.session_ending`, then `auth.user_logged_out`. One that has ended or never was is
   * left alone.
   */
  async signOut(sessionId: string): Promise<void> {
    const userId = await this.sessions.end(sessionId, async (userId, transaction) => {
      const memberships = await this.roster.membershipsIn(transaction, userId);
      await this.bus.publish('auth.session_ending', { userId, sessionId, memberships, transaction });
    });
    if (userId !== null) await this.tell('auth.user_logged_out', { userId, sessionId, at: this.now() });
  }

  /** Who presents this token. @throws AuthError `token_missing`, `token_invalid`, `token_expired`, `session_ended` */
  verify(token: string): Promise<Principal> {
    return this.sessions.verify(token);
  }

  /** @throws AuthError `password_too_short` (below 8 characters), `login_taken`, `input_invalid` */
  createUser(user: NewUser): Promise<User> {
    return this.roster.createUser(user);
  }

  /** @throws AuthError `slug_taken`, `input_invalid` */
  createBand(band: NewBand): Promise<Band> {
    return this.roster.createBand(band);
  }

  /**
   * Makes somebody a member, or changes their role or instrument; tells `auth.rights_changing`, then
   * `auth.permission_updated`, if anything changes.
   * @throws AuthError `user_unknown`, `band_unknown`, `input_invalid`
   */
  async setMembership(part: Part): Promise<void> {
    const { userId, bandId } = part;
    if (await this.roster.setMembership(part, this.rightsChanging))
      await this.tell('auth.permission_updated', { userId, bandId, at: this.now() });
  }

  /** Tells `auth.rights_changing`, then `auth.permission_updated`, if there is a membership. */
  async removeMembership(userId: string, bandId: string): Promise<void> {
    if (await this.roster.removeMembership(userId, bandId, this.rightsChanging))
      await this.tell('auth.permission_updated', { userId, bandId, at: this.now() });
  }

  /** @throws AuthError `user_unknown` */
  user(userId: string): Promise<User> {
    return this.roster.user(userId);
  }

  /** Null where nobody has this login. */
  async userByLogin(login: string): Promise<User | null> {
    const found = await this.roster.userByLogin(login);
    return found && publicly(found);
  }

  /** Null where no band has this slug. */
  bandBySlug(slug: string): Promise<Band | null> {
    return this.roster.bandBySlug(slug);
  }

  /** What somebody may do where. An unknown user has no memberships. */
  memberships(userId: string): Promise<Membership[]> {
    return this.roster.memberships(userId);
  }

  /** Ascending by name. @throws AuthError `band_unknown` */
  members(bandId: string): Promise<Member[]> {
    return this.roster.members(bandId);
  }

  /** Ascending by name. @throws AuthError `user_unknown` */
  bands(userId: string): Promise<BandOfUser[]> {
    return this.roster.bands(userId);
  }

  private async identify(login: string, password: string): Promise<User> {
    const user = await this.roster.userByLogin(login);
    if ((await this.passwords.matches(password, user?.passwordHash ?? null)) && user) return publicly(user);
    await this.throttle.sweep();
    throw AuthError.credentialsWrong();
  }

  private readonly rightsChanging = (change: RightsChange) => this.bus.publish('auth.rights_changing', change);

  private async tell<Name extends FactName>(name: Name, fact: Facts[Name]): Promise<void> {
    try {
      await this.bus.publish(name, fact);
    } catch (error) {
      this.log.error(`A listener of "${name}" failed`, error);
    }
  }

  private now(): string {
    return this.settings.clock().toISOString();
  }
}

/** Without the hash. */
const publicly = ({ userId, login, name }: User): User => ({ userId, login, name });
