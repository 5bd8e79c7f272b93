import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import type { DataSource } from 'typeorm';

/** The key that signs and checks tokens. */
export class SigningKey {
  private key: Promise<KeyObject> | undefined;

  /** @param secret used instead of the database's key */
  constructor(
    private readonly dataSource: DataSource,
    private readonly secret: string | undefined,
  ) {}

  /** The same in all processes on one database. Asked for in vain, it is looked for again the next time. */
  get(): Promise<KeyObject> {
    this.key ??= this.load().catch((error: unknown) => {
      this.key = undefined;
      throw error;
    });
    return this.key;
  }

  private async load(): Promise<KeyObject> {
    if (this.secret !== undefined) return createSecretKey(this.secret, 'utf8');
    // Of processes that start together the insert lets one through; the others wait for its commit, then read that row.
    await this.dataSource.query(`insert into auth_signing_key (secret) values ($1) on conflict do nothing`, [
      randomBytes(32),
    ]);
    const [row] = await this.dataSource.query<[{ secret: Buffer }]>(`select secret from auth_signing_key`);
    return createSecretKey(row.secret);
  }
}
