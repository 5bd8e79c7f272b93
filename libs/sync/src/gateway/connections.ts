import type { Connection } from './connection.js';

/** Whoever is connected to this node, found by person without a look at everybody. */
export class Connections {
  private readonly all = new Set<Connection>();
  private readonly byUser = new Map<string, Set<Connection>>();
  /** How many there ever were. */
  everAdded = 0;

  get size(): number {
    return this.all.size;
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.all.values();
  }

  of(userId: string): readonly Connection[] {
    return [...(this.byUser.get(userId) ?? [])];
  }

  add(connection: Connection): void {
    this.all.add(connection);
    this.everAdded += 1;
    const { userId } = connection.principal;
    const own = this.byUser.get(userId);
    if (own) own.add(connection);
    else this.byUser.set(userId, new Set([connection]));
  }

  delete(connection: Connection): void {
    this.all.delete(connection);
    const { userId } = connection.principal;
    const own = this.byUser.get(userId);
    own?.delete(connection);
    if (own?.size === 0) this.byUser.delete(userId);
  }
}
