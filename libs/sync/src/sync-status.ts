import { Injectable } from '@nestjs/common';
import { bandChannel } from '@soleil/sync-protocol';
import type { DataSource } from 'typeorm';
import type { OperationStatus } from './entities/sync-operation.js';
import { SyncEngine } from './engine/sync-engine.js';
import { isNodeChannel } from './log/canary-log.js';
import { leads, type Access } from './gateway/access.js';
import { WebSocketGateway, type ConnectionInfo } from './gateway/web-socket-gateway.js';
import type { ResolvedSyncOptions } from './options.js';

export interface SequencerStatus {
  node: string;
  term: number;
  /** False: nobody is in office, messages wait in the outbox. */
  inOffice: boolean;
  /** Messages that wait in the outbox. */
  waiting: number;
}

export interface BandStatus {
  bandId: string;
  /** Files that the log shows to the band. */
  files: number;
  lastSyncAt: string | null;
  /** Operations of the last day, and those not finished or dead. */
  operations: Partial<Record<OperationStatus, number>>;
  /** Its operations wait, all but critical ones: since when, until when and why. Null: they do not, or the caller does not lead the band. */
  paused: { since: string; until: string; code: string; message: string } | null;
}

export interface Status {
  node: string;
  sequencer: SequencerStatus;
  bands: BandStatus[];
  /** Those of the caller's own, and for a leader those of the whole band, on this node. */
  connections: ConnectionInfo[];
}

/** How Sync is doing, for people and for probes. */
@Injectable()
export class SyncStatus {
  constructor(
    private readonly database: DataSource,
    private readonly engine: SyncEngine,
    private readonly gateway: WebSocketGateway,
    private readonly options: ResolvedSyncOptions,
  ) {}

  async status(userId: string, access: Access): Promise<Status> {
    const led = access.memberships.map(({ bandId }) => bandId).filter((bandId) => leads(access, bandId));
    return {
      node: this.options.node,
      sequencer: await this.sequencer(),
      bands: await Promise.all(access.memberships.map(({ bandId }) => this.band(bandId, led.includes(bandId)))),
      connections: this.gateway.connected().flatMap((connection) => seenBy(connection, userId, led)),
    };
  }

  /** @throws when the database cannot be reached */
  async sequencer(): Promise<SequencerStatus> {
    const [row] = await this.database.query<SequencerStatus[]>(
      `select node, term::float8 as term, lease_until > clock_timestamp() as "inOffice", (select count(*) from sync_outbox where not ${isNodeChannel('channel')})::int as waiting from sync_leader`,
    );
    return row!;
  }

  private async band(bandId: string, isLed: boolean): Promise<BandStatus> {
    const [row] = await this.database.query<{ files: number; last: Date | null }[]>(
      `select (select count(*) from sync_file where band_id = $1 and channel is not null)::int as files,
              greatest((select max(synced_at) from sync_file where band_id = $1),
                       (select max(finished_at) from sync_operation where band_id = $1 and kind = 'band' and status = 'completed')) as last`,
      [bandId],
    );
    const paused = isLed ? await this.engine.pausedBand(bandId) : null;
    return {
      bandId,
      files: row!.files,
      lastSyncAt: row!.last?.toISOString() ?? null,
      operations: await this.engine.counts([bandId]),
      paused: paused && { ...paused, since: paused.since.toISOString(), until: paused.until.toISOString() },
    };
  }
}

/** One's own connections whole; of others, to who leads their bands, what belongs to these bands. */
function seenBy(connection: ConnectionInfo, userId: string, led: readonly string[]): ConnectionInfo[] {
  if (connection.userId === userId) return [connection];
  const ofBand = (channel: string): boolean =>
    led.some((bandId) => channel === bandChannel(bandId) || channel.startsWith(`${bandChannel(bandId)}:`));
  const channels = connection.channels.filter(ofBand);
  return channels.length > 0 ? [{ ...connection, channels, sessionId: '' }] : [];
}
