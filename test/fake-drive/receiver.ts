import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Somebody whom notifications are posted to. */
export class Receiver {
  readonly received: { path: string; headers: IncomingHttpHeaders; body: string }[] = [];
  /** What the next notification is answered with. */
  status = 202;

  private constructor(private readonly http: Server) {}

  static async start(): Promise<Receiver> {
    const http = createServer((request, response) => {
      let body = '';
      request.on('data', (piece: Buffer) => (body += piece.toString()));
      request.on('end', () => {
        receiver.received.push({ path: request.url!, headers: request.headers, body });
        response.writeHead(receiver.status).end();
      });
    });
    const receiver = new Receiver(http);
    await new Promise<void>((resolve) => void http.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  /** Where it is really, for what was sent to an https address. */
  at(address: string): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}${new URL(address).pathname}`;
  }

  /** A header of everything received so far. */
  all(header: string): (string | undefined)[] {
    return this.received.map(({ headers }) => headers[header] as string | undefined);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.http.close(resolve));
    this.http.closeAllConnections();
    await closed;
  }
}
