import { CodedError, type Bus } from '@soleil/bus';
import { rightEnded } from '../../libs/sync/src/log/control-message.js';
import { resolveSyncOptions, type ResolvedSyncOptions } from '../../libs/sync/src/options.js';
import type { Admitted } from '../../libs/sync/src/gateway/connection.js';
import type { Carry } from '../../libs/sync/test/memory-log.js';
import type { MessagesFrame } from '@soleil/sync-protocol';
import type { Random } from '../chaos/random.js';
import type { Access, MakeDatabase, SimulatedDatabase } from './database.js';
import { SimulatedDevice } from './device.js';
import { leakOf } from './leak.js';
import { Line, type End } from './line.js';
import { Model } from './model.js';
import { SimulatedNode } from './node.js';
import type { ServerSocket } from './namespace.js';
import { Post } from './post.js';
import { party, type Party, type Schedule } from './schedule.js';
import { Publishers } from './publishers.js';
import { membershipOf, rightsIn, Truth } from './truth.js';

export const bands = ['b1', 'b2'];
export const channels = ['system', ...bands.map((band) => `band:${band}`)];
export const users = ['u1', 'u2', 'u3'];

const databaseAway = (): Error => new Error('Connection terminated unexpectedly');

/** Servers, a database, devices and publishers, and what is true of them. Faults are done to it by `faults.ts`. */
export class World {
  readonly truth = new Truth();
  readonly model: Model;
  readonly nodes: SimulatedNode[] = [];
  readonly devices: SimulatedDevice[] = [];
  readonly post: Post;
  readonly publishers: Publishers;
  private database!: SimulatedDatabase;
  readonly server = party('database');
  private readonly musicians = party('musicians');
  isDatabaseAway = false;
  /** What went wrong first. */
  failure: Error | null = null;
  private readonly accesses = new Map<SimulatedNode, Access>();
  private readonly lines = new Map<Line, SimulatedNode>();
  private readonly options: ResolvedSyncOptions;
  private counted = 0;
  /** Rows that are in the outbox. */
  private waiting = 0;

  constructor(
    readonly schedule: Schedule,
    readonly random: Random,
  ) {
    this.options = resolveSyncOptions({
      windowBytes: random.pick([1_500, 10_000, 1_000_000]),
      pageMessages: random.between(1, 12),
      tailMessages: random.pick([1, 8, 100]),
      frameBytes: random.pick([300, 2_000, 100_000]),
      socketsPerTurn: random.pick([1, 2, 64]),
      compactAfterMessages: random.pick([3, 12, 1_000]),
      sequencerBatch: random.pick([1, 4, 500]),
      ackTimeoutMs: 5_000,
      node: 'simulated',
    });
    this.model = new Model(this.options.compactAfterMessages);
    this.post = new Post(schedule, random);
    this.publishers = new Publishers(schedule, random, this.truth, channels);
  }

  async begin(make: MakeDatabase, nodes: number, devices: number): Promise<void> {
    this.database = await make(() => this.schedule.now + this.server.skewMs, {
      committed: (rows) => {
        this.waiting += rows.length;
        const begun = rightsIn(rows).filter(({ has }) => has);
        for (const { userId, bandId } of begun) this.rightBegins(userId, `band:${bandId}`);
        this.truth.committed(rows);
        for (const { userId, bandId } of begun) this.comesAtOnce(userId, `band:${bandId}`);
      },
      moved: ({ channel, epoch, messages }) => {
        this.waiting -= messages.length;
        this.judge(() => this.model.moved(channel, epoch, messages));
      },
    });
    for (const user of users) for (const band of bands) if (this.random.chance(0.8)) this.truth.grant(user, band);
    for (let nth = 0; nth < nodes; nth++) await this.startNode();
    for (let nth = 0; nth < devices; nth++) {
      const device = new SimulatedDevice(`device ${nth + 1}`, this.random.pick(users), channels, {
        schedule: this.schedule,
        random: this.random,
        model: this.model,
        connect: (whom, client) => this.connect(whom, client),
        logIn: (userId) => this.logIn(userId),
        failed: (error) => this.fail(error),
      });
      this.devices.push(device);
      await device.start();
    }
  }

  get running(): SimulatedNode[] {
    return this.nodes.filter((node) => !node.party.isGone);
  }

  fail(error: Error): void {
    this.failure ??= error;
  }

  private rightBegins(userId: string, channel: string): void {
    this.model.rightBegan(userId, channel, this.truth.timesCommitted(channel, rightEnded, { userId }));
  }

  /** Whoever has just been let in may be there before the channel says so, and say that they stand anywhere. */
  private comesAtOnce(userId: string, channel: string): void {
    const own = this.devices.filter((device) => device.userId === userId);
    if (own.length === 0 || this.random.chance(0.3)) return;
    const device = this.random.pick(own);
    this.schedule.addLoose(this.musicians, `${device.name} comes at once`, async () => {
      const { offset: head } = this.model.head(channel);
      if (head === 0 || this.random.chance(0.3)) return device.start();
      await device.stand(channel, this.model.outcomeAt(channel, this.random.between(1, head)));
    });
  }

  private judge(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  async startNode(): Promise<void> {
    const name = `node ${(this.counted += 1)}`;
    const own = party(name);
    await this.schedule.as(own, () => {
      const carry = this.carry(own);
      const access = this.database.connect(carry, (work) => this.schedule.addLoose(this.server, 'connection closed', work));
      const node = new SimulatedNode(own, {
        database: access.database,
        log: access.log,
        bus: this.bus(carry),
        post: this.post,
        options: { ...this.options, node: name },
        onSent: (socket, event, frame) => this.sent(socket, event, frame),
      });
      this.nodes.push(node);
      this.accesses.set(node, access);
      node.start();
    });
  }

  /** The process is gone at once; the database, and whoever was connected, learn of it. */
  kill(node: SimulatedNode): void {
    node.party.isGone = true;
    this.schedule.addLoose(this.server, `${node.party.name} is gone`, () => this.cutDatabase(node));
    for (const [line, owner] of this.lines) if (owner === node) this.cut(line);
  }

  /** All of its connections to the database end, whatever is on its way. */
  async cutDatabase(node: SimulatedNode): Promise<void> {
    await this.accesses.get(node)?.cut();
    if (node.party.isGone) this.publishers.gone(node);
  }

  cut(line: Line): void {
    line.cut();
    this.lines.delete(line);
  }

  /** Retention comes by: up to some offset only the state stays. */
  async prune(channel: string): Promise<void> {
    const horizon = this.random.between(0, this.model.head(channel).offset);
    this.model.pruned(channel, horizon, await this.database.prune(channel, horizon));
  }

  /** @returns what sets the database back to how it is now */
  async backup(): Promise<() => Promise<void>> {
    const database = await this.database.backup();
    const parts = [this.model.backup(), this.truth.backup()];
    const { waiting } = this;
    return async () => {
      await database();
      for (const restore of parts) restore();
      this.waiting = waiting;
    };
  }

  get isAtRest(): boolean {
    return this.publishers.areIdle && this.waiting === 0;
  }

  private logIn(userId: string): string {
    const sessionId = `session ${(this.counted += 1)}`;
    this.truth.openSession(sessionId, userId);
    return sessionId;
  }

  private connect(whom: Party, client: End): Line {
    const node = this.running.length > 0 ? this.random.pick(this.running) : null;
    const line = new Line(this.schedule, whom, node?.party ?? this.server, client);
    if (node) {
      this.lines.set(line, node);
      line.open(() => node.namespace.accept(line));
    } else line.cut();
    return line;
  }

  /** A question to the database, and its answer, each on its way for as long as it pleases. */
  private carry(whom: Party): Carry {
    return (look) =>
      new Promise((resolve) => {
        this.schedule.addLoose(this.server, `statement of ${whom.name}`, async () => {
          const answer = this.perform(look);
          // That it failed is told where it arrives.
          await answer.catch(() => undefined);
          this.schedule.addLoose(whom, 'answer', () => resolve(answer));
        });
      });
  }

  private async perform<Answer>(look: () => Answer): Promise<Answer> {
    if (this.isDatabaseAway) throw databaseAway();
    return look();
  }

  /** What Auth and Content answer, from the database. */
  private bus(carry: Carry): Bus {
    const answers: Record<string, (ask: Record<string, string>) => unknown> = {
      'auth.token_presented': ({ token }) => {
        const userId = this.truth.userOf(token!);
        if (userId) return { userId, sessionId: token, displayName: userId, expiresAt: '2100-01-01T00:00:00Z' };
        throw new CodedError({
          ...{ code: 'session_ended', message: 'The session has ended.', remedy: 'Sign in again.' },
          ...{ status: 401, retryable: false },
        });
      },
      'auth.memberships_requested': ({ userId }) => ({
        memberships: this.truth.bandsOf(userId!).map(membershipOf),
      }),
      'content.audiences_requested': () => ({ audiences: [] }),
    };
    const request = (name: string, ask: Record<string, string>) => carry(() => answers[name]!(ask));
    return { request } as unknown as Bus;
  }

  /** What is sent is judged when it is sent: what comes later may make it right. */
  private sent({ data }: ServerSocket, event: string, frame: unknown): void {
    if (event !== 'messages') return;
    const leak = leakOf((data as Admitted).principal, frame as MessagesFrame, this.truth, this.model);
    if (leak) this.fail(new Error(leak));
  }
}
