import { randomUUID } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { AuthError } from './auth-error.js';

const minimumLength = 8;

export interface PasswordCosts {
  passwordMemoryKiB: number;
  passwordIterations: number;
}

/** Hashes and checks passwords, by Argon2id, off the event loop. */
export class Passwords {
  private decoy: Promise<string> | undefined;

  constructor(private readonly costs: PasswordCosts) {}

  /** @throws AuthError `password_too_short` */
  async hash(password: string): Promise<string> {
    if ([...password].length < minimumLength) throw AuthError.passwordTooShort(minimumLength);
    return this.hashed(password);
  }

  /** Takes as long for nobody's password (`null`) as for somebody's, so that its time does not tell which logins exist. */
  async matches(password: string, storedHash: string | null): Promise<boolean> {
    const isMatch = await verify(storedHash ?? (await this.decoyHash()), normalized(password));
    return isMatch && storedHash !== null;
  }

  /** What an unknown login's password is compared with; made at boot, so that the first of them takes no longer either. */
  decoyHash(): Promise<string> {
    this.decoy ??= this.hashed(randomUUID());
    return this.decoy;
  }

  private hashed(password: string): Promise<string> {
    // Argon2id is the package's default; its enumeration of algorithms exists for TypeScript only.
    return hash(normalized(password), {
      memoryCost: this.costs.passwordMemoryKiB,
      timeCost: this.costs.passwordIterations,
      parallelism: 1,
    });
  }
}

/** Keyboards differ in how they compose the same character. */
const normalized = (password: string): string => password.normalize('NFKC');
