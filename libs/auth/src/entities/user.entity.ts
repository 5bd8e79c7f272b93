import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('auth_user')
export class AuthUser {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  /** Lower case, unique. */
  @Column({ type: 'text' })
  login!: string;

  @Column({ type: 'text' })
  name!: string;

  /** Argon2id in PHC format, which holds salt and costs. */
  @Column({ name: 'password_hash', type: 'text' })
  passwordHash!: string;
}
