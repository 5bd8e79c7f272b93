import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Bytes that the line itself holds, as a router's queue does. */
const queueBytes = 16 * 1024;
const tickMs = 4;

/** A slow line to a server of this machine: what the server sends passes at so many bits a second, and no faster. */
export class Throttle {
  private readonly ends = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async open(target: number, bitsPerSecond: number): Promise<Throttle> {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const throttle = new Throttle(server, (server.address() as AddressInfo).port);
    server.on('connection', (device) => throttle.join(device, target, bitsPerSecond));
    return throttle;
  }

  async close(): Promise<void> {
    for (const end of this.ends) end.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(device: Socket, target: number, bitsPerSecond: number): void {
    const server = connect(target, '127.0.0.1');
    let queue = Buffer.alloc(0);
    let sentAt = performance.now();
    // What does not fit is left with the server, whose own send buffer fills then.
    server.on('data', (bytes) => {
      queue = Buffer.concat([queue, bytes]);
      if (queue.length > queueBytes) server.pause();
    });
    const tick = setInterval(() => {
      const now = performance.now();
      const many = Math.min(queue.length, Math.floor(((now - sentAt) * bitsPerSecond) / 8 / 1000));
      if (queue.length === 0) sentAt = now;
      if (many === 0) return;
      sentAt += (many * 8 * 1000) / bitsPerSecond;
      device.write(queue.subarray(0, many));
      queue = queue.subarray(many);
      if (queue.length <= queueBytes) server.resume();
    }, tickMs);
    device.pipe(server);
    for (const [end, other] of [
      [device, server],
      [server, device],
    ] as const) {
      end.setNoDelay(true);
      this.ends.add(end);
      end.on('error', () => other.destroy());
      end.on('close', () => {
        clearInterval(tick);
        this.ends.delete(end);
        other.destroy();
      });
    }
  }
}
