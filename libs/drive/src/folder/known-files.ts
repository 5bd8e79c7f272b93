import type { ChangeLog } from '../change-log.js';
import type { KnownFile } from '../provider.js';

interface Ask {
  path: string;
  resolve(file: KnownFile | null): void;
  reject(error: unknown): void;
}

/** Finds known files by path; whatever is asked while one query runs becomes the next query, so a burst needs one connection. */
export class KnownFiles {
  private asks: Ask[] = [];
  private isAsking = false;

  constructor(private readonly changeLog: ChangeLog) {}

  find(path: string): Promise<KnownFile | null> {
    return new Promise((resolve, reject) => {
      this.asks.push({ path, resolve, reject });
      if (!this.isAsking) void this.answer();
    });
  }

  private async answer(): Promise<void> {
    this.isAsking = true;
    while (this.asks.length > 0) {
      const asks = this.asks;
      this.asks = [];
      try {
        const files = await this.changeLog.presentAt(asks.map((ask) => ask.path));
        const byPath = new Map(files.map((file) => [file.path, file]));
        for (const ask of asks) ask.resolve(byPath.get(ask.path) ?? null);
      } catch (error) {
        for (const ask of asks) ask.reject(error);
      }
    }
    this.isAsking = false;
  }
}
