import { setTimeout as pass } from 'node:timers/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { within } from './within.js';

test('gives the answer, and what the answer failed with', async () => {
  await expect(within(1_000, Promise.resolve('yes'))).resolves.toBe('yes');
  await expect(within(1_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('is late where nothing comes', async () => {
  await expect(within(10, new Promise(() => undefined))).rejects.toThrow('No answer within 10 ms');
});

test('is not late with what had come while the process stood still', async () => {
  const server = createServer((socket) => void socket.end('here'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  const answer = within(50, once(socket, 'data'));
  await pass(0);
  for (const began = performance.now(); performance.now() - began < 200;);
  await expect(answer).resolves.toBeDefined();
  socket.destroy();
  server.close();
});
