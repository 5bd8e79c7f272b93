import { randomBytes, webcrypto } from 'node:crypto';
import type { DataSource } from 'typeorm';

/**
 * The key that signs and checks tokens. In the form in which it is used: any other would be imported anew for each token, which
 * takes longer than the check itself.
 */
export class SigningKey {
  private key: Promise<webcrypto.CryptoKey> | undefined;

  /** @param secret used instead of the database's key */
  constructor(
    private readonly dataSource: DataSource,
    private readonly secret: string | undefined,
  ) {}

  /** The same in all processes on one database. Asked for in vain, it is looked for again the next time. */
  get(): Promise<webcrypto.CryptoKey> {
    this.key ??= this.load().catch((error: unknown) => {
      this.key = undefined;
      throw error;
    });
    return this.key;
  }

  private async load(): Promise<webcrypto.CryptoKey> {
    if (this.secret !== undefined) return imported(Buffer.from(this.secret, 'utf8'));
    // Of processes that start together the insert lets one through; the others wait for its commit, then read that row.
    await this.dataSource.query(`insert into auth_signing_key (secret) values ($1) on conflict do nothing`, [
      randomBytes(32),
    ]);
    const [row] = await this.dataSource.query<[{ secret: Buffer }]>(`select secret from auth_signing_key`);
    return imported(row.secret);
  }
}

const imported = (secret: Buffer): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
