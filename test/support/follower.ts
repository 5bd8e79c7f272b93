import type { Message, MessagesFrame, Position } from '@soleil/sync-protocol';
import { inflateSync } from 'node:zlib';
import type { Socket } from 'socket.io-client';

/** The least a device must do: follow one channel, note what arrives, acknowledge it. Built on the protocol's text alone. */
export class Follower {
  readonly messages: Message[] = [];
  readonly frames: MessagesFrame[] = [];
  position: Position | null = null;
  /** Of frames that came compressed, as they came. */
  deflatedBytes = 0;
  private readonly waiting = new Set<() => void>();

  constructor(
    readonly socket: Socket,
    readonly channel: string,
    private readonly acknowledge = true,
  ) {
    socket.on('messages', (frame: MessagesFrame) => {
      if (frame.channel === channel) this.receive(frame);
    });
    socket.on('deflated', ({ data }: { data: string }) => {
      this.deflatedBytes += data.length;
      const frame = JSON.parse(inflateSync(Buffer.from(data, 'base64')).toString()) as MessagesFrame;
      if (frame.channel === channel) this.receive(frame);
    });
    socket.on('reset', ({ channel: which }: { channel: string }) => {
      if (which !== channel) return;
      this.messages.length = 0;
      this.position = null;
    });
  }

  /** @returns the server's answer */
  subscribe(position?: Position): Promise<Record<string, unknown>> {
    return this.socket
      .timeout(5_000)
      .emitWithAck('subscribe', { channel: this.channel, ...(position ? { position } : {}) }) as never;
  }

  /** Resolves when the condition holds after some frame, or already does. */
  async until(condition: (follower: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => void this.waiting.add(resolve));
  }

  /** Resolves with the messages once there are that many. */
  async count(many: number): Promise<Message[]> {
    await this.until(() => this.messages.length >= many);
    return this.messages;
  }

  private receive(frame: MessagesFrame): void {
    this.frames.push(frame);
    this.messages.push(...frame.messages);
    this.position = { epoch: frame.epoch, offset: frame.to };
    if (this.acknowledge) this.socket.emit('ack', { channel: this.channel, offset: frame.to });
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }
}
