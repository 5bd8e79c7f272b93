import { Latest } from './latest.js';
import type { WeighedSignal } from './weighed-signal.js';

/** A signal on its way to the nodes. */
export interface Letter extends WeighedSignal {
  /** To the devices of this node. */
  deliver: () => void;
  /** The attempts to connect that had begun when it was sent. */
  attempts: number;
  /** The devices of this node have it. */
  isDelivered: boolean;
}

/** Bytes of one channel's letters that wait. */
const channelBytes = 64 * 1024;

/** Letters that wait, of each channel the latest of each name. Channels take turns: one that is told much delays no other. */
export class Letters {
  private readonly channels = new Map<string, Latest<Letter>>();

  get isEmpty(): boolean {
    return this.channels.size === 0;
  }

  *[Symbol.iterator](): Iterator<Letter> {
    for (const waiting of this.channels.values()) yield* waiting;
  }

  put(letter: Letter): void {
    const { channel } = letter.frame;
    let waiting = this.channels.get(channel);
    if (!waiting) this.channels.set(channel, (waiting = new Latest(channelBytes)));
    waiting.put(letter);
  }

  /** @param mostBytes of their JSON, but for a single one that is larger */
  take(mostBytes: number): Letter[] {
    const taken: Letter[] = [];
    let bytes = 0;
    // A channel whose turn was comes last, and is come to again.
    for (const [channel, waiting] of this.channels) {
      const [letter] = waiting;
      bytes += letter!.bytes + 1;
      if (taken.length > 0 && bytes > mostBytes) break;
      taken.push(letter!);
      waiting.drop(letter!.name);
      this.channels.delete(channel);
      if (waiting.size > 0) this.channels.set(channel, waiting);
    }
    return taken;
  }

  takeAll(): Letter[] {
    const all = [...this];
    this.channels.clear();
    return all;
  }
}
