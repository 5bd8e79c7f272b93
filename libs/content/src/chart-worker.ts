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
 * only carries values across, and all judgement stays on this side. Bands write the same few chords in all their songs, and the
 * library reads each anew wherever it stands (half of its time), so how a chord is spelled is remembered. At each line it collects the metadata
 * of all lines before, for the key of the line, so its time would grow with the square of the lines; nobody asks for that key here, nor for which
 * word a chord is.
 */
const source = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { Chord, ChordLyricsPair, ChordProParser, Song } = require(workerData.parser);
  const { getMetadata } = Song.prototype;
  Song.prototype.getMetadata = () => ({ getSingle: () => null });
  const spellings = new Map();
  function spelled(chord) {
    const known = spellings.get(chord);
    if (known !== undefined) return known;
    if (spellings.size >= 10_000) spellings.clear();
    const spelling = Chord.parse(chord)?.toString() ?? '';
    spellings.set(chord, spelling);
    return spelling;
  }
  function chordsOf(song) {
    const items = song.lines.flatMap((line) => line.items);
    const written = new Set(items.flatMap((item) => (item instanceof ChordLyricsPair ? item.chords || [] : [])));
    return [...new Set([...written].map(spelled).filter(Boolean))];
  }
  function parse(text) {
    try {
      const song = new ChordProParser().parse(text, { chopFirstWord: false });
      return {
        outcome: 'parsed',
        metadata: { ...getMetadata.call(song).metadata },
        chords: chordsOf(song),
        lines: song.lines.filter((line) => line.hasRenderableItems()).length,
      };
    } catch (error) {
      const line = error?.location?.start?.line;
      return line ? { outcome: 'rejected', line } : { outcome: 'failed', message: String(error?.message ?? error) };
    }
  }
  parentPort.on('message', (text) => parentPort.postMessage(parse(text)));
`;

interface Ask {
  text: string;
  settle: (parse: ChartParse) => void;
}

/** Time to read what the thread has answered. */
const readingMs = 100;

/** Texts that lie ready in the thread, so that it need not wait for this side between two. */
const mostSent = 8;

/**
 * The ChordPro parser on a thread of its own. The parser is not ours, and who knows what keeps it busy, so it must neither hold up the event loop nor run without an end. One text at a time; the
 * thread starts at the first text and is replaced when it had to be stopped.
 */
export class ChartWorker {
  private worker: Worker | null = null;
  /** The first is in work. */
  private sent: Ask[] = [];
  private waiting: Ask[] = [];
  private timer: NodeJS.Timeout | undefined;

  /** @param timeLimitMs for one text, from its turn on */
  constructor(private readonly timeLimitMs: number) {}

  /** Never rejects: what goes wrong in the thread is an outcome. */
  parse(text: string): Promise<ChartParse> {
    return new Promise((settle) => {
      this.waiting.push({ text, settle });
      this.send();
    });
  }

  /** Stops the thread; texts in work and those that wait end as `failed`. */
  async close(): Promise<void> {
    const { worker } = this;
    const asks = [...this.sent, ...this.waiting];
    this.dismiss();
    this.waiting = [];
    await worker?.terminate();
    for (const { settle } of asks) settle(threadEnded);
  }

  private send(): void {
    if (this.waiting.length === 0 || this.sent.length >= mostSent) return;
    const isIdle = this.sent.length === 0;
    const worker = (this.worker ??= this.start());
    while (this.sent.length < mostSent) {
      const next = this.waiting.shift();
      if (!next) break;
      this.sent.push(next);
      worker.postMessage(next.text);
    }
    if (!isIdle) return;
    worker.ref();
    this.setTimer();
  }

  private setTimer(): void {
    // Twice: when this side stood still, the first is over before an answer that has long been there is read.
    this.timer = setTimeout(() => {
      this.timer = setTimeout(() => {
        void this.worker?.terminate();
        this.replace({ outcome: 'timed_out' });
      }, readingMs);
    }, this.timeLimitMs);
  }

  private parsed(parse: ChartParse): void {
    clearTimeout(this.timer);
    this.sent.shift()?.settle(parse);
    if (this.sent.length > 0) this.setTimer();
    else this.worker?.unref();
    this.send();
  }

  /** The thread ends over the text in work; the others have another one. */
  private replace(outcome: ChartParse): void {
    const [inWork, ...others] = this.dismiss();
    this.waiting.unshift(...others);
    inWork?.settle(outcome);
    this.send();
  }

  private dismiss(): Ask[] {
    clearTimeout(this.timer);
    this.worker = null;
    return this.sent.splice(0);
  }

  private start(): Worker {
    const parser = createRequire(import.meta.url).resolve('chordsheetjs');
    const worker = new Worker(source, {
      eval: true,
      workerData: { parser },
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    // One that was replaced may still have something to say.
    const ifItIs = (react: () => void): void => {
      if (this.worker === worker) react();
    };
    worker.on('message', (parse: ChartParse) => ifItIs(() => this.parsed(parse)));
    // An error ends the thread, and its exit is what is heeded.
    worker.on('error', () => undefined);
    worker.on('exit', () => ifItIs(() => this.replace(threadEnded)));
    return worker;
  }
}

const threadEnded: ChartParse = { outcome: 'failed', message: 'The parser thread ended.' };
