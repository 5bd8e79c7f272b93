/** What waits costs this beside its own bytes. */
const entryBytes = 200;

/** What has a name, of which only the latest counts. */
export interface Named {
  name: string;
  bytes: number;
}

/** The latest of each name, in the order of their coming, as many as there is room for: beyond it the oldest are dropped. */
export class Latest<Value extends Named> {
  private readonly byName = new Map<string, Value>();
  private bytes = 0;

  /** @param mostBytes but for a single one that is larger */
  constructor(private readonly mostBytes: number) {}

  get size(): number {
    return this.byName.size;
  }

  [Symbol.iterator](): Iterator<Value> {
    return this.byName.values();
  }

  put(value: Value): void {
    // The newest stand last.
    this.drop(value.name);
    this.byName.set(value.name, value);
    this.bytes += entryBytes + value.bytes;
    for (const name of this.byName.keys()) {
      if (this.bytes <= this.mostBytes || this.size === 1) return;
      this.drop(name);
    }
  }

  drop(name: string): void {
    const value = this.byName.get(name);
    if (!value) return;
    this.byName.delete(name);
    this.bytes -= entryBytes + value.bytes;
  }
}
