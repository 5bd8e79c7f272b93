import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { FromRig, Memory, ToRig } from './messages.js';

/** A storm comes at once: connections that overflow the queue are tried again by TCP a second later. */
const backlog = 4096;

/** Listens, tells the benchmark where, and answers it until it ends. */
export async function serve(server: Server, publishPort: number, channel: string): Promise<void> {
  await new Promise<void>((resolve) => void server.listen({ port: 0, host: '127.0.0.1', backlog }, resolve));
  const say = (message: FromRig): void => void process.send?.(message);
  process.on('disconnect', () => process.exit());
  process.on('message', (_: ToRig) => void memory().then((held) => say({ say: 'memory', ...held })));
  say({ say: 'ready', port: (server.address() as AddressInfo).port, publishPort, channel });
}

async function memory(): Promise<Memory> {
  for (let n = 0; n < 3; n++) {
    global.gc!();
    await turn();
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, held: heapUsed + external };
}
