import { z } from 'zod';
import { AuthError } from './auth-error.js';

/** Everything has a default; see {@link authDefaults}. */
export interface AuthOptions {
  /** How long a sign-in lasts. Default 336, two weeks. */
  sessionHours?: number;
  /**
   * Signs the tokens; at least 32 characters, the same in all processes. Default: a random key that the first process to
   * start keeps in the database. Changing it ends every sign-in.
   */
  secret?: string;
  /** Argon2id's memory for each hash. Holds for new passwords only. Default 19,456 (19 MiB), as OWASP recommends. */
  passwordMemoryKiB?: number;
  /** Argon2id's passes over that memory. Holds for new passwords only. Default 2, as OWASP recommends. */
  passwordIterations?: number;
  /** What time it is, for expiry and for counting failed attempts. Default: the system's clock. */
  clock?: () => Date;
}

export const authDefaults: Required<Omit<AuthOptions, 'secret'>> = {
  sessionHours: 24 * 14,
  passwordMemoryKiB: 19 * 1024,
  passwordIterations: 2,
  clock: () => new Date(),
};

/** The options, complete and validated: one provider, so that they are merged once. */
export class AuthSettings implements AuthOptions {
  readonly sessionHours!: number;
  readonly secret?: string;
  readonly passwordMemoryKiB!: number;
  readonly passwordIterations!: number;
  readonly clock!: () => Date;

  /** @throws AuthError `auth_options_invalid`, naming the option */
  static from(options: AuthOptions): AuthSettings {
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const parsed = schema.safeParse({ ...authDefaults, ...given });
    if (!parsed.success) {
      const detail = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'options'}: ${issue.message}`).join('; ');
      throw AuthError.optionsInvalid(detail, parsed.error);
    }
    return Object.assign(new AuthSettings(), parsed.data);
  }
}

const schema = z.strictObject({
  // A token's expiry counts whole seconds; a year is beyond what anybody should stay signed in.
  sessionHours: z
    .number()
    .min(1 / 60)
    .max(24 * 366),
  secret: z.string().min(32).optional(),
  passwordMemoryKiB: z
    .int()
    .min(8)
    .max(1024 * 1024),
  passwordIterations: z.int().min(1).max(100),
  clock: z.custom<() => Date>((value) => typeof value === 'function', 'must be a function'),
});
