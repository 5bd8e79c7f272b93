import { EventEmitter } from 'node:events';
import type { Socket } from 'socket.io';
import { Line } from './line.js';

/** As far as a line knows Engine.IO's half of a connection. */
class Conn extends EventEmitter {
  transport: EventEmitter & { writable: boolean; socket?: { bufferedAmount: number }; res?: EventEmitter } = Object.assign(
    new EventEmitter(),
    { writable: true },
  );

  queue(...texts: string[]): void {
    for (const data of texts) this.emit('packetCreate', { data });
  }
}

function lineOf(conn: Conn, mostBytes = 1_000_000): { line: Line; overflows: () => number; ready: () => number } {
  let [overflows, ready] = [0, 0];
  const line = new Line(
    conn as unknown as Socket['conn'],
    mostBytes,
    () => (ready += 1),
    () => (overflows += 1),
  );
  return { line, overflows: () => overflows, ready: () => ready };
}

test('counts what waits for a WebSocket, and what it has not written', () => {
  const conn = new Conn();
  const { line } = lineOf(conn);
  conn.transport.socket = { bufferedAmount: 30_000 };
  expect(line.unsentBytes).toBe(30_000);
  conn.queue('ü'.repeat(10_000));
  expect(line.unsentBytes).toBeGreaterThanOrEqual(50_000);
  conn.emit('flush');
  conn.transport.socket.bufferedAmount = 50_000;
  expect(line.unsentBytes).toBe(50_000);
});

test('counts what is held, and not what goes over the wire: wide characters, and the frame made beforehand', () => {
  const conn = new Conn();
  const { line } = lineOf(conn);
  conn.queue(`${'x'.repeat(10_000)}ж`);
  expect(line.unsentBytes).toBeGreaterThanOrEqual(20_000);
  conn.emit('flush');
  const text = 'x'.repeat(10_000);
  conn.emit('packetCreate', { data: text, options: { wsPreEncodedFrame: [Buffer.from(text)] } });
  expect(line.unsentBytes).toBeGreaterThanOrEqual(20_000);
});

test('counts what answers a poll until the response is over', () => {
  const conn = new Conn();
  const { line } = lineOf(conn);
  const responses = [new EventEmitter(), new EventEmitter()];
  for (const res of responses) {
    conn.queue('x'.repeat(10_000));
    conn.transport.res = res;
    conn.emit('flush');
  }
  expect(line.unsentBytes).toBeGreaterThanOrEqual(20_000);
  responses[0]!.emit('close');
  expect(line.unsentBytes).toBeLessThan(15_000);
  responses[1]!.emit('close');
  expect(line.unsentBytes).toBe(0);
});

test('packets without data count, too, and too much is told once, after the turn that sent it', async () => {
  const conn = new Conn();
  const { overflows } = lineOf(conn, 10_000);
  for (let nth = 0; nth < 1_000; nth++) conn.emit('packetCreate', {});
  expect(overflows()).toBe(0);
  await Promise.resolve();
  expect(overflows()).toBe(1);
});

test('tells that the line is ready, after an upgrade of the transport as before', () => {
  const conn = new Conn();
  const { ready } = lineOf(conn);
  conn.transport.emit('ready');
  conn.transport = Object.assign(new EventEmitter(), { writable: true });
  conn.emit('upgrade');
  conn.transport.emit('ready');
  expect(ready()).toBe(2);
});
