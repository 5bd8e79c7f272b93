import type { Role } from '@soleil/bus';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('auth_membership')
export class AuthMembership {
  @PrimaryColumn({ name: 'user_id', type: 'uuid' })
  userId!: string;

  @PrimaryColumn({ name: 'band_id', type: 'uuid' })
  bandId!: string;

  @Column({ type: 'text' })
  role!: Role;

  @Column({ type: 'text' })
  instrument!: string;
}
