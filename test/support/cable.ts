import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A network cable between a page and its server, to be pulled out. */
export class Cable {
  private readonly ends = new Set<Socket>();
  private isWhole = true;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** @param target the server's address, asked anew for each connection: a restarted server may have another */
  static async plug(target: () => string): Promise<Cable> {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const cable = new Cable(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('connection', (near) => cable.join(near, target()));
    return cable;
  }

  /** Breaks every connection; new ones are refused until it is plugged in again. */
  pull(): void {
    this.isWhole = false;
    for (const end of this.ends) end.destroy();
  }

  plugIn(): void {
    this.isWhole = true;
  }

  async remove(): Promise<void> {
    this.pull();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(near: Socket, target: string): void {
    if (!this.isWhole) {
      near.destroy();
      return;
    }
    const far = connect(Number(new URL(target).port), '127.0.0.1');
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.ends.add(end);
      end.pipe(other);
      end.on('error', () => other.destroy());
      end.on('close', () => {
        this.ends.delete(end);
        other.destroy();
      });
    }
  }
}
