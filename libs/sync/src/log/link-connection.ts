import type { Client, Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { within } from './within.js';

/** Nothing may come for hours, so it is asked this often whether it lives, … */
const probeEveryMs = 5_000;
/** … and is given up when it does not answer for this long, whatever it was asked. */
const answerWithinMs = 2_000;

export interface LinkHandlers {
  /** Said once the connection stands. */
  statements: readonly string[];
  onNotification: (payload: string) => void;
  /** In the turn in which it is known; not for one that never stood. */
  onEnd: () => void;
}

/** The connection on which a node listens. Outside of the pool: it must come back though all others are taken. */
export class LinkConnection {
  private isOver = false;
  private readonly probe: NodeJS.Timeout;

  private constructor(
    private readonly client: Client,
    private readonly onEnd: () => void,
  ) {
    client.once('end', () => this.end());
    this.probe = setInterval(() => void this.query('select', []).catch(() => undefined), probeEveryMs);
  }

  /** @throws what the database says, or that it says nothing */
  static async open(database: DataSource, { statements, onNotification, onEnd }: LinkHandlers): Promise<LinkConnection> {
    const pool = poolOf(database);
    const client = new pool.Client(pool.options);
    // An error ends the connection, and `end` follows.
    client.on('error', () => undefined);
    client.on('notification', ({ payload = '' }) => onNotification(payload));
    try {
      await within(answerWithinMs, client.connect());
      for (const statement of statements) await within(answerWithinMs, client.query(statement));
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
    return new LinkConnection(client, onEnd);
  }

  /** @throws what the database says, or that it says nothing; the connection has ended then */
  async query(text: string, values: readonly unknown[]): Promise<void> {
    try {
      await within(answerWithinMs, this.client.query(text, [...values]));
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Without waiting for an answer that is outstanding. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    clearInterval(this.probe);
    this.client.end().catch(() => undefined);
    this.onEnd();
  }
}

/** TypeORM's own, of which the options are used: they are complete there, whatever the application gave. */
function poolOf(database: DataSource): Pool & { Client: new (options: Pool['options']) => Client } {
  return (database.driver as unknown as { master: ReturnType<typeof poolOf> }).master;
}
