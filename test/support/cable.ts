import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One connection through the cable. */
interface Line {
  near: Socket;
  far: Socket;
}

/** A network cable between a client and its server, to be treated badly. */
export class Cable {
  private readonly lines = new Set<Line>();
  private readonly lost = new Set<Line>();
  private isWhole = true;
  private swallows: 'nothing' | 'answers' | 'everything' = 'nothing';

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

  /** Somebody is connected through it. */
  get hasLines(): boolean {
    return this.lines.size > 0;
  }

  /** Breaks every connection; new ones are refused until it is plugged in again. */
  pull(): void {
    this.isWhole = false;
    for (const { near, far } of [...this.lines, ...this.lost]) for (const end of [near, far]) end.destroy();
  }

  /** Connections stay and nobody is told, but nothing passes any more, or no answers, until it is plugged in again. */
  swallow(what: 'answers' | 'everything'): void {
    this.swallows = what;
    for (const line of this.lines) this.flow(line);
  }

  /** Every connection is dead for good and nobody is told, as when a host dies; new ones work. */
  lose(): void {
    for (const line of this.lines) {
      pass(line.near, line.far, false);
      pass(line.far, line.near, false);
      this.lost.add(line);
    }
    this.lines.clear();
  }

  plugIn(): void {
    this.isWhole = true;
    this.swallows = 'nothing';
    for (const line of this.lines) this.flow(line);
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
    const line = { near, far };
    this.lines.add(line);
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      end.on('error', () => other.destroy());
      end.on('close', () => {
        this.lines.delete(line);
        other.destroy();
      });
    }
    this.flow(line);
  }

  private flow({ near, far }: Line): void {
    pass(near, far, this.swallows !== 'everything');
    pass(far, near, this.swallows === 'nothing');
  }
}

function pass(from: Socket, to: Socket, passes: boolean): void {
  from.unpipe(to);
  if (passes) from.pipe(to);
  else from.pause();
}
