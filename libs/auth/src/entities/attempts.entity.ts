import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The recent attempts to sign in with a login that did not succeed; the login need not exist. */
@Entity('auth_attempts')
export class AuthAttempts {
  @PrimaryColumn({ type: 'text' })
  login!: string;

  /** As many as are allowed, at most. */
  @Column({ name: 'attempted_at', type: 'timestamptz', array: true })
  attemptedAt!: Date[];

  @Column({ name: 'last_attempted_at', type: 'timestamptz' })
  lastAttemptedAt!: Date;
}
