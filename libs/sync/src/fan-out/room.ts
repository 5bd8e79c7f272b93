import type { Message } from '@soleil/sync-protocol';
import { firstFrame, type WeighedFrame } from './frames.js';
import { bytesOf } from './json.js';
import type { Teller } from './turns.js';

/** Whoever stands at the head of a channel, but for what the room is still being told. */
export interface RoomMember {
  /** Everything up to here was sent. */
  readonly sentUpTo: number;
  /** Sends what follows, and stands at its end then. */
  tell(weighed: WeighedFrame): void;
  /** Leaves the room, and goes on from where it was told of. */
  stepBack(): void;
}

export interface RoomOptions {
  /** Bytes in one frame, but for a single message that is larger. */
  frameBytes: number;
  /** @returns a frame of the messages, for somebody who was sent everything before `from` */
  frameOf(from: number, to: number, messages: readonly Message[]): WeighedFrame;
}

/** Some of what there is to tell, as it goes from member to member. */
interface Telling {
  messages: readonly Message[];
  to: number;
  /** Who was in the room when it began. Who came later has stood beyond it. */
  members: readonly RoomMember[];
  /** How many of them were told, or had left. */
  done: number;
  /** By what their receivers had: all the same, but for those who came while there was something untold. */
  frames: Map<number, WeighedFrame>;
}

/** Full frames that a room may be behind what comes. */
const mostFramesBehind = 16;

/**
 * Those who get each message as it comes, a part of them in each turn of the event loop (see `Turns`), each in order. What
 * comes while a frame goes round is gathered for the next one: the busier a node, the more messages share a frame.
 *
 * Where more comes than can be told, windows do not help: who acknowledges quickly never fills one. Then everybody steps back
 * and goes on from the log, and nothing is gathered for a room that is empty.
 */
export class Room implements Teller {
  private readonly members = new Set<RoomMember>();
  /** What not everybody was told; what is being told comes first. */
  private untold: Message[] = [];
  private untoldBytes = 0;
  private telling: Telling | null = null;

  constructor(private readonly options: RoomOptions) {}

  get isEmpty(): boolean {
    return this.members.size === 0;
  }

  get hasUntold(): boolean {
    return this.untold.length > 0;
  }

  join(member: RoomMember): void {
    this.members.add(member);
  }

  /** It is sent nothing more from here on. */
  leave(member: RoomMember): void {
    this.members.delete(member);
    if (this.isEmpty) this.forget();
  }

  /** Everybody here has everything before these messages, or will be told of it first. */
  add(messages: readonly Message[]): void {
    if (this.untoldBytes > mostFramesBehind * this.options.frameBytes) for (const member of this.members) member.stepBack();
    if (this.isEmpty) return;
    this.untold.push(...messages);
    this.untoldBytes += weightOf(messages);
  }

  /** What was not told yet is told to nobody. */
  forget(): void {
    this.untold = [];
    this.untoldBytes = 0;
    this.telling = null;
  }

  tell(most: number): { told: number; isDone: boolean } {
    const telling = (this.telling ??= this.begin());
    let told = 0;
    while (told < most && telling.done < telling.members.length) {
      const member = telling.members[telling.done++]!;
      if (!this.members.has(member) || member.sentUpTo >= telling.to) continue;
      member.tell(this.frameAfter(member.sentUpTo, telling));
      told++;
    }
    const isDone = telling.done === telling.members.length;
    // Where the last member has left meanwhile, all was forgotten.
    if (isDone && telling === this.telling) {
      this.untold = this.untold.slice(telling.messages.length);
      this.untoldBytes -= weightOf(telling.messages);
      this.telling = null;
    }
    return { told, isDone };
  }

  private begin(): Telling {
    // A copy: more is added meanwhile.
    const messages = [...firstFrame(this.untold, this.options.frameBytes)];
    return { messages, to: messages.at(-1)!.offset, members: [...this.members], done: 0, frames: new Map() };
  }

  private frameAfter(sentUpTo: number, { messages, to, frames }: Telling): WeighedFrame {
    let weighed = frames.get(sentUpTo);
    if (!weighed) {
      const own = messages.filter(({ offset }) => offset > sentUpTo);
      frames.set(sentUpTo, (weighed = this.options.frameOf(sentUpTo + 1, to, own)));
    }
    return weighed;
  }
}

const weightOf = (messages: readonly Message[]): number => messages.reduce((sum, message) => sum + bytesOf(message), 0);
