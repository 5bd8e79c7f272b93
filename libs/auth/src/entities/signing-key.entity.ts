import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The one key that all processes sign tokens with, where no secret is configured. */
@Entity('auth_signing_key')
export class AuthSigningKey {
  /** Always true: the primary key admits one row. */
  @PrimaryColumn({ type: 'boolean' })
  single!: boolean;

  @Column({ type: 'bytea' })
  secret!: Buffer;
}
