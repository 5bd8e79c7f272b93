import type { LogReader, Page } from '../log/log-reader.js';
import type { Step } from './step.js';
import type { Tail } from './tail.js';
import { bytesOf } from './json.js';

/** `to`: up to there, these messages are all there is to tell. */
export type PageUpTo = Page & { to: number };

/** What readers of one channel that lag are to be sent next: from memory or from the log, read once for all at one place. */
export class Pages {
  /** What is being read of the log. */
  private readonly reads = new Map<string, Promise<unknown>>();
  /** What a message weighed in the page that was read last: no more are read than a frame may hold. */
  private typicalBytes = 1;

  /** @param mostMessages in one page */
  constructor(
    private readonly channel: string,
    private readonly log: LogReader,
    private readonly tail: Tail,
    private readonly mostMessages: number,
  ) {}

  /** Every message after `cursor`. @param head of the channel, on this node @param mostBytes that will be told of it */
  async ofAll(cursor: number, head: number, mostBytes: number): Promise<PageUpTo> {
    const { channel } = this;
    const limit = this.messagesIn(mostBytes);
    const recent = this.tail.after(cursor, limit);
    // No further than the page may reach: beyond the end of its statistics the planner expects two messages, and takes and
    // sorts all there are up to the head for each page (2.5 ms of 10,000, against 0.2).
    const upTo = Math.min(head, cursor + limit);
    const page = recent
      ? { messages: recent, prunedTo: 0 }
      : await this.weighed(`all:${cursor}:${upTo}`, () => this.log.page({ channel, after: cursor, upTo, limit }));
    const last = page.messages.at(-1)?.offset ?? 0;
    return { ...page, to: page.messages.length < limit ? Math.max(upTo, last) : last };
  }

  /** What the step has after `cursor`. @param mostBytes that will be told of it */
  async ofStep(cursor: number, step: Step, mostBytes: number): Promise<PageUpTo> {
    const { channel } = this;
    const { name, extent, after, upTo } = step;
    const outline = await step.outline(() => this.shared(name, () => this.log.latest({ channel, after, upTo, extent })));
    const { offsets } = outline;
    const start = firstAfter(offsets, cursor);
    const wanted = offsets.slice(start, start + this.messagesIn(mostBytes));
    const page =
      wanted.length > 0
        ? await this.weighed(`${name}:${cursor}:${wanted.length}`, () => this.log.at(channel, wanted))
        : { messages: [], prunedTo: outline.prunedTo };
    return { ...page, to: start + wanted.length < offsets.length ? wanted.at(-1)! : upTo };
  }

  /** What is being read is of a history that is gone: nobody else joins in. */
  forget(): void {
    this.reads.clear();
  }

  /** Half as many again, since they are not all alike. */
  private messagesIn(bytes: number): number {
    return Math.min(Math.ceil((bytes / this.typicalBytes) * 1.5), this.mostMessages);
  }

  private weighed(name: string, read: () => Promise<Page>): Promise<Page> {
    return this.shared(name, async () => {
      const page = await read();
      const bytes = page.messages.reduce((sum, message) => sum + bytesOf(message), 0);
      if (page.messages.length > 0) this.typicalBytes = bytes / page.messages.length;
      return page;
    });
  }

  private shared<Answer>(name: string, read: () => Promise<Answer>): Promise<Answer> {
    let asked = this.reads.get(name) as Promise<Answer> | undefined;
    if (!asked) {
      const fresh = read().finally(() => this.reads.get(name) === fresh && this.reads.delete(name));
      this.reads.set(name, (asked = fresh));
    }
    return asked;
  }
}

/** Where the first of the ascending offsets beyond `cursor` is. */
function firstAfter(offsets: readonly number[], cursor: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets[middle]! > cursor) high = middle;
    else low = middle + 1;
  }
  return low;
}
