import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('auth_band')
export class AuthBand {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  /** Lower case with hyphens, unique: for addresses and folder names. */
  @Column({ type: 'text' })
  slug!: string;
}
