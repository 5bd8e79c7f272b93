import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** What the ChordPro parser made of a text. */
export type ChartParse =
  | { outcome: 'parsed'; metadata: Record<string, string | string[]>; chords: string[]; lines: number }
  /** Not ChordPro; `line` is where the parser noticed it, counted from 1. */
  | { outcome: 'rejected'; line: number }
  /** The parser itself fell over. */
  | { outcome: 'failed'; message: string }
  | { outcome: 'timed_out' };

/**
 * What the thread runs. A string, because it must start from TypeScript sources (tests) as well as from a build; so it
 * only carries values across, and all judgement stays on this side.
 */
const source = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { ChordProParser } = require(workerData.parser);
  function parse(text) {
    try {
      const song = new ChordProParser().parse(text);
      return {
        outcome: 'parsed',
        metadata: { ...song.metadata.metadata },
        chords: song.getChords(),
        lines: song.lines.filter((line) => line.hasRenderableItems()).length,
      };
    } catch (error) {
      const line = error?.location?.start?.line;
      return line ? { outcome: 'rejected', line } : { outcome: 'failed', message: String(error?.message ?? error) };
    }
  }
  parentPort.on('message', (text) => parentPort.postMessage(parse(text)));
`;

/**
 * The ChordPro parser on a thread of its own. The parser is not ours and takes time that grows with the square of the
 * lines (16,000 lines: 9 s), so it must neither hold up the event loop nor run without an end. One text at a time; the
 * thread starts at the first text and is replaced when it had to be stopped.
 */
export class ChartWorker {
  private worker: Worker | null = null;
  private turn: Promise<unknown> = Promise.resolve();

  /** @param timeLimitMs for one text, from its turn on */
  constructor(private readonly timeLimitMs: number) {}

  /** Never rejects: what goes wrong in the thread is an outcome. */
  parse(text: string): Promise<ChartParse> {
    const parse = this.turn
      .then(() => this.run(text))
      .catch((error: unknown): ChartParse => ({ outcome: 'failed', message: String(error) }));
    this.turn = parse;
    return parse;
  }

  /** Stops the thread; a text in work ends as `failed`. */
  async close(): Promise<void> {
    await this.worker?.terminate();
  }

  private run(text: string): Promise<ChartParse> {
    const worker = (this.worker ??= this.start());
    return new Promise((resolve) => {
      const settle = (parse: ChartParse): void => {
        clearTimeout(timer);
        worker.off('message', settle).off('exit', onExit).unref();
        resolve(parse);
      };
      const onExit = (): void => settle({ outcome: 'failed', message: 'The parser thread ended.' });
      const timer = setTimeout(() => {
        this.worker = null;
        void worker.terminate();
        settle({ outcome: 'timed_out' });
      }, this.timeLimitMs);
      worker.on('message', settle).on('exit', onExit).ref();
      worker.postMessage(text);
    });
  }

  private start(): Worker {
    const parser = createRequire(import.meta.url).resolve('chordsheetjs');
    const worker = new Worker(source, {
      eval: true,
      workerData: { parser },
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    // An error ends the thread, and its exit is what a waiting text hears of.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (this.worker === worker) this.worker = null;
    });
    return worker;
  }
}
