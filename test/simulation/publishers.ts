import type { EntityManager } from 'typeorm';
import type { Random } from '../chaos/random.js';
import type { SimulatedDevice } from './device.js';
import type { SimulatedNode } from './node.js';
import type { Schedule } from './schedule.js';
import { membershipOf, rightRow, typeOf, type Published, type Truth } from './truth.js';

const keys = ['k1', 'k2', 'k3', 'k4', null];

/**
 * Who publishes, on any node: messages, where rights begin and end, and the ends of sessions. As the product asks of publishers, a transaction
 * locks what it writes about first, so that changes of one entity, and of one user, come one after another.
 */
export class Publishers {
  /** What an open transaction holds a lock on, and the node it runs on. */
  private readonly locks = new Map<string, SimulatedNode>();
  private counted = 0;

  constructor(
    private readonly schedule: Schedule,
    private readonly random: Random,
    private readonly truth: Truth,
    private readonly channels: readonly string[],
  ) {}

  get areIdle(): boolean {
    return this.locks.size === 0;
  }

  /** The node is dead, and its connections with it. */
  gone(node: SimulatedNode): void {
    for (const [lock, owner] of this.locks) if (owner === node) this.locks.delete(lock);
  }

  /** In a transaction that may take its time, and may roll back, or without one. Never rejects. */
  async publish(node: SimulatedNode): Promise<void> {
    const messages = this.messages();
    const locks = messages.filter(({ key }) => key !== null).map(({ channel, key }) => `${channel} ${key}`);
    if (locks.some((lock) => this.locks.has(lock))) return;
    const calls = messages.map(({ n, channel, key, gone }) => [
      { channel: channel as 'system', type: typeOf(n), data: gone ? null : { n }, ...(key === null ? {} : { key }) },
    ]);
    await this.whileLocked(node, locks, async () => {
      if (this.random.chance(0.3)) await node.publisher.publish(calls[0]!);
      else await this.transact(node, (transaction) => calls.map((call) => () => node.publisher.publish(call, transaction)));
    });
  }

  /** Ends a user's right to a band. */
  async revoke(node: SimulatedNode, userId: string, bandId: string): Promise<void> {
    await this.changeRight(node, userId, bandId, false);
  }

  async grant(node: SimulatedNode, userId: string, bandId: string): Promise<void> {
    await this.changeRight(node, userId, bandId, true);
  }

  async endSession(node: SimulatedNode, { userId, session: sessionId }: SimulatedDevice): Promise<void> {
    await this.asAuth(node, userId, (transaction) => {
      const memberships = this.truth.bandsOf(userId).map(membershipOf);
      return [() => node.revocations.sessionEnding({ userId, sessionId, memberships, transaction })];
    });
  }

  private async changeRight(node: SimulatedNode, userId: string, bandId: string, has: boolean): Promise<void> {
    await this.asAuth(node, userId, (transaction) => {
      if (this.truth.bandsOf(userId).includes(bandId) === has) return [];
      const [before, after] = has ? [null, membershipOf(bandId)] : [membershipOf(bandId), null];
      return [
        () => node.revocations.rightsChanging({ userId, bandId, before, after, transaction }),
        () => node.publisher.publish([rightRow(userId, bandId, has)], transaction),
      ];
    });
  }

  /** As Auth does it: changes of one user's rights and sessions come one after another, and are told within the transaction. */
  private async asAuth(
    node: SimulatedNode,
    userId: string,
    calls: (transaction: EntityManager) => (() => Promise<unknown>)[],
  ): Promise<void> {
    if (this.locks.has(userId)) return;
    await this.whileLocked(node, [userId], () => this.transact(node, calls));
  }

  private async whileLocked(node: SimulatedNode, locks: string[], work: () => Promise<void>): Promise<void> {
    for (const lock of locks) this.locks.set(lock, node);
    await this.schedule.as(node.party, () => {
      work()
        .catch(() => undefined)
        .finally(() => {
          for (const lock of locks) this.locks.delete(lock);
        });
    });
  }

  private async transact(
    node: SimulatedNode,
    calls: (transaction: EntityManager) => (() => Promise<unknown>)[],
  ): Promise<void> {
    const runner = node.around.database.createQueryRunner();
    const isLate = this.random.chance(0.4);
    const fails = this.random.chance(0.15);
    try {
      await runner.startTransaction();
      for (const call of calls(runner.manager)) {
        await call();
        if (isLate) await this.pause();
      }
      await (fails ? runner.rollbackTransaction() : runner.commitTransaction());
    } finally {
      await runner.release();
    }
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.random.between(0, 2_500)));
  }

  private messages(): Published[] {
    const main = this.random.pick(this.channels);
    const used = new Set<string>();
    const messages: Published[] = [];
    for (let left = this.random.between(1, 4); left > 0; left--) {
      const channel = this.random.chance(0.8) ? main : this.random.pick(this.channels);
      const key = this.random.pick(keys);
      if (key !== null && used.has(`${channel} ${key}`)) continue;
      if (key !== null) used.add(`${channel} ${key}`);
      messages.push({ n: (this.counted += 1), channel, key, gone: key !== null && this.random.chance(0.25) });
    }
    return messages;
  }
}
