import type { Bus } from '@soleil/bus';
import type { DataSource } from 'typeorm';
import { ChangeLog } from './change-log.js';
import type { DriveOptions } from './options.js';
import type { DriveProvider, DriveSource, SourceStatus } from './provider.js';
import { Teller } from './teller.js';

/** One connected band: its source, its change log, and the teller of that log. */
export class BandSource {
  readonly source: DriveSource;
  private readonly teller: Teller;
  private readonly connectedTo: string;
  private hasStarted = false;

  constructor(
    dataSource: DataSource,
    bus: Bus,
    options: DriveOptions,
    provider: DriveProvider,
    bandId: string,
    settings: Record<string, unknown>,
  ) {
    this.connectedTo = connectionKey(provider.name, settings);
    this.teller = new Teller(dataSource, bus, bandId, options);
    this.source = provider.connect({
      bandId,
      settings,
      changeLog: new ChangeLog(dataSource, bandId, () => this.teller.wake()),
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
