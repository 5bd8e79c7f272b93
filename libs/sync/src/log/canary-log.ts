import type { DataSource } from 'typeorm';
import { queryWithin } from './borrowed-runner.js';
import type { Publisher } from './publisher.js';

const prefix = 'node:';
/** A connection that is dead is given up then. */
const withinMs = 10_000;

/** A node's own channel: devices and publishers cannot name it. */
export const nodeChannel = (node: string): string => `${prefix}${node}`;

/** The same, in SQL. */
export const isNodeChannel = (column: string): string => `${column} like '${prefix}%'`;

/** What a node publishes to itself, once a second. */
export class CanaryLog {
  readonly channel: string;

  constructor(
    private readonly database: DataSource,
    private readonly publisher: Publisher,
    node: string,
  ) {
    this.channel = nodeChannel(node);
  }

  /** Resolves when it is stored. */
  async publish(id: string): Promise<void> {
    await this.publisher.publishCanary({ id, channel: this.channel });
  }

  /** Whether it has been given its offset. */
  async isLogged(id: string): Promise<boolean> {
    return (await queryWithin(this.database, withinMs, 'select from sync_message where id = $1', [id])).length > 0;
  }

  /** The log does not grow by canaries: those before this one go. The newest stays: it may be what the leader moved last. */
  async forgetBefore(offset: number): Promise<void> {
    await queryWithin(this.database, withinMs, 'delete from sync_message where channel = $1 and "offset" < $2', [
      this.channel,
      offset,
    ]);
  }
}
