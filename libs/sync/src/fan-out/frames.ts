import type { Message, MessagesFrame, Position } from '@soleil/sync-protocol';
import { isControl } from '../log/control-message.js';
import { bytesOf, jsonOf } from './json.js';

/** A frame, as it goes over the wire, and what it weighs there. */
export interface WeighedFrame {
  frame: MessagesFrame;
  json: string;
  bytes: number;
}

/** Frames of pages that are remembered: those that come back together are at a few places. */
const mostRemembered = 8;

/** Makes the frames of one channel. Of devices that come back together, those at one place are sent one and the same frame. */
export class Frames {
  private readonly recent = new Map<string, WeighedFrame>();

  constructor(private readonly channel: string) {}

  make(epoch: string, from: number, to: number, messages: readonly Message[], until: Position | null = null): WeighedFrame {
    const forDevices = messages.filter((message) => !isControl(message));
    const frame: MessagesFrame = { channel: this.channel, epoch, from, to, messages: forDevices };
    if (until) Object.assign(frame, { more: true, until });
    const json = jsonOf(frame);
    return { frame, json, bytes: Buffer.byteLength(json) };
  }

  /**
   * @param until where the step ends that goes on after the frame
   * @param extent names by what the messages were chosen: with it, two frames of the same span are the same
   */
  ofPage(
    extent: string,
    epoch: string,
    from: number,
    to: number,
    messages: readonly Message[],
    until: Position | null,
  ): WeighedFrame {
    const name = `${extent} ${epoch} ${from} ${to} ${messages.length}`;
    let weighed = this.recent.get(name);
    if (!weighed) {
      this.recent.set(name, (weighed = this.make(epoch, from, to, messages, until)));
      if (this.recent.size > mostRemembered) this.recent.delete(this.recent.keys().next().value!);
    }
    return weighed;
  }

  forget(): void {
    this.recent.clear();
  }
}

/** As many of the messages as a frame of this size may hold, at least one. */
export function firstFrame(messages: Message[], mostBytes: number): Message[] {
  let bytes = 0;
  const end = messages.findIndex((message, index) => (bytes += bytesOf(message)) > mostBytes && index > 0);
  return end < 0 ? messages : messages.slice(0, end);
}
