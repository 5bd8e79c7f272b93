import type { Answer, Bus } from '@soleil/bus';
import type { DataSource } from 'typeorm';
import { ChangeLog } from './change-log.js';
import type { DriveOptions } from './options.js';
import type { DriveProvider, DriveSource, SourceStatus } from './provider.js';
import { Teller } from './teller.js';

/** Changes that one look lists; more than these are told all the same. */
const mostFound = 10_000;

/** One connected band: its source, its change log, and the teller of that log. */
export class BandSource {
  readonly source: DriveSource;
  private readonly changeLog: ChangeLog;
  private readonly teller: Teller;
  private readonly connectedTo: string;
  private hasStarted = false;

  /** @param onMoved called where the band is found connected to another place */
  constructor(
    dataSource: DataSource,
    bus: Bus,
    options: DriveOptions,
    provider: DriveProvider,
    bandId: string,
    settings: Record<string, unknown>,
    onMoved: () => void,
  ) {
    this.connectedTo = connectionKey(provider.name, settings);
    this.teller = new Teller(dataSource, bus, bandId, options);
    const connection = { bandId, provider: provider.name, settings };
    this.changeLog = new ChangeLog(dataSource, connection, () => this.teller.wake(), onMoved);
    this.source = provider.connect({
      bandId,
      settings,
      changeLog: this.changeLog,
      dataSource,
      options,
    });
  }

  isConnectedTo(provider: string, settings: Record<string, unknown>): boolean {
    return this.connectedTo === connectionKey(provider, settings);
  }

  status(): SourceStatus {
    return this.source.status();
  }

  /** Has the source look. @throws what {@link DriveSource.rescan} throws */
  async rescan(): Promise<Answer<'drive.rescan_requested'>> {
    // Before the look: what a watcher or a notification commits meanwhile is found as well, though the source counts it to them.
    const told = await this.changeLog.toldUpTo();
    const changes = await this.source.rescan();
    return { changes, found: await this.changeLog.changesAfter(told, mostFound) };
  }

  start(): void {
    this.hasStarted = true;
    this.teller.start();
    this.source.start();
  }

  /** After {@link stop}: the band has gone to another place. */
  async disconnect(): Promise<void> {
    await this.source.disconnect?.();
  }

  /** The source first: what it still commits may still be told. */
  async stop(): Promise<void> {
    if (!this.hasStarted) return;
    await this.source.stop();
    await this.teller.stop();
  }
}

function connectionKey(provider: string, settings: Record<string, unknown>): string {
  return JSON.stringify([provider, Object.entries(settings).sort(([one], [other]) => (one < other ? -1 : 1))]);
}
