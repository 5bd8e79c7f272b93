import type { ChannelName } from '@soleil/sync-protocol';
import { createServer, type AddressInfo } from 'node:net';

/** What the load generator hands over: 200 bytes of JSON. */
export interface Note {
  n: number;
  text: string;
  /** The band's, where it names none. */
  channel?: ChannelName;
}

/**
 * Where a server under measurement takes messages to publish: one line of JSON each, over TCP. An empty line asks what became
 * of those before it, and is answered by how many were stored and how many refused since it was last asked.
 * @param publish resolves once it is stored, where there is a store
 */
export async function openPublishPort(publish: (note: Note) => Promise<unknown> | void): Promise<number> {
  const server = createServer((socket) => {
    let rest = '';
    let open = 0;
    let [stored, refused] = [0, 0];
    let isAsked = false;
    const answer = (): void => {
      if (!isAsked || open > 0) return;
      socket.write(`${stored} ${refused}\n`);
      isAsked = false;
      [stored, refused] = [0, 0];
    };
    const take = (line: string): void => {
      if (line === '') {
        isAsked = true;
        return;
      }
      const storing = publish(JSON.parse(line) as Note);
      if (!storing) {
        stored++;
        return;
      }
      open++;
      void storing
        .then(
          () => stored++,
          () => refused++,
        )
        .then(() => {
          open--;
          answer();
        });
    };
    socket.setEncoding('latin1').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      lines.forEach(take);
      answer();
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
