import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A subscription to notifications of Google Drive: stored before it is asked for, since the first may come before the answer. */
@Entity('drive_channel')
export class DriveChannelRow {
  @PrimaryColumn('text', { name: 'channel_id' })
  channelId!: string;

  @Column('text', { name: 'band_id' })
  bandId!: string;

  /** What Google repeats with each notification: nothing else says that it is genuine. */
  @Column('text')
  token!: string;

  /** What Google calls it, for ending it; null until it has answered, or told of a change. */
  @Column('text', { name: 'resource_id', nullable: true })
  resourceId!: string | null;

  @Column('timestamptz', { name: 'renew_at' })
  renewAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;
}
