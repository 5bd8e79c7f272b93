import { deflateSync } from 'node:zlib';
import type { Namespace, Socket } from 'socket.io';
import type { WeighedFrame } from '../fan-out/frames.js';

/** The room of a channel's sockets that take large frames compressed. No channel has such a name. */
const deflatingRoom = (channel: string): string => `${channel}~deflate`;

/**
 * Puts frames on the line. One frame is encoded once for all who stand at the head of its channel, and a large one is
 * compressed once for all who accept that, never by each socket: `perMessageDeflate` cost eight times the throughput.
 */
export class FrameSender {
  private readonly deflated = new WeakMap<WeighedFrame, string>();

  /** @param deflateAfterBytes frames of more than this are compressed */
  constructor(
    private readonly namespace: Namespace,
    private readonly deflateAfterBytes: number,
  ) {}

  join(socket: Socket, channel: string, accepts: boolean): void {
    void socket.join(accepts ? deflatingRoom(channel) : channel);
  }

  leave(socket: Socket, channel: string, accepts: boolean): void {
    void socket.leave(accepts ? deflatingRoom(channel) : channel);
  }

  /** To every socket of this node that is in the channel's room. */
  broadcast(channel: string, weighed: WeighedFrame): void {
    const { local } = this.namespace;
    if (weighed.bytes <= this.deflateAfterBytes) {
      local.to([channel, deflatingRoom(channel)]).emit('messages', weighed.frame);
      return;
    }
    const { rooms } = this.namespace.adapter;
    if (rooms.has(channel)) local.to(channel).emit('messages', weighed.frame);
    if (rooms.has(deflatingRoom(channel)))
      local.to(deflatingRoom(channel)).emit('deflated', { data: this.deflate(weighed) });
  }

  /** To one socket. */
  send(socket: Socket, weighed: WeighedFrame, accepts: boolean): void {
    if (accepts && weighed.bytes > this.deflateAfterBytes) socket.emit('deflated', { data: this.deflate(weighed) });
    else socket.emit('messages', weighed.frame);
  }

  /** In this turn: were it left to a thread, what comes later could overtake it. */
  private deflate(weighed: WeighedFrame): string {
    let data = this.deflated.get(weighed);
    if (data === undefined) {
      data = deflateSync(JSON.stringify(weighed.frame)).toString('base64');
      this.deflated.set(weighed, data);
    }
    return data;
  }
}
