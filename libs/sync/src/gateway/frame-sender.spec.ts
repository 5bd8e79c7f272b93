import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inflateSync } from 'node:zlib';
import type { Message, MessagesFrame } from '@soleil/sync-protocol';
import { Server, type ServerOptions, type Socket } from 'socket.io';
import { Decoder, Encoder, PacketType } from 'socket.io-parser';
import { io, type ManagerOptions, type SocketOptions } from 'socket.io-client';
import { Frames, type WeighedFrame } from '../fan-out/frames.js';
import { FrameSender } from './frame-sender.js';

const frames = new Frames('band:b1');
const frameOf = (offset: number, bytes: number): WeighedFrame => {
  const message: Message = {
    offset,
    id: `id-${offset}`,
    type: 'note',
    data: { text: 'ü'.repeat(bytes / 2) },
    at: '2026-11-26',
  };
  return frames.make('e1', offset, offset, [message]);
};

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A parser of an application's own. It writes text of another kind: a client would not understand finished bytes. */
class Shouting extends Encoder {
  override encode(packet: Parameters<Encoder['encode']>[0]): never[] {
    return [
      ...super.encode(packet),
      ...(packet.type === PacketType.EVENT ? super.encode({ ...packet, data: ['again'] }) : []),
    ] as never[];
  }
}

/** The same frame, which counts how often its text was taken to be encoded or compressed. */
function counted({ frame, json, bytes }: WeighedFrame): { weighed: WeighedFrame; taken: () => number } {
  let taken = 0;
  const weighed = {
    frame,
    bytes,
    get json() {
      taken += 1;
      return json;
    },
  };
  return { weighed, taken: () => taken };
}

/** A Socket.IO server, a stock client of it, and the server's half of that client. */
async function connected(
  server: Partial<ServerOptions> = {},
  client: Partial<ManagerOptions & SocketOptions> = {},
): Promise<{
  sender: FrameSender;
  socket: Socket;
  received: unknown[][];
  next: () => Promise<void>;
  /** What was written past Engine.IO. */
  tcpWrites: Buffer[];
}> {
  const http = createServer();
  const server_ = new Server(http, { serveClient: false, ...server });
  const namespace = server_.of('/sync');
  ends.push(() => server_.close());
  await new Promise<void>((resolve) => void http.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => void namespace.once('connection', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/sync`;
  const stock = io(url, { transports: ['websocket'], forceNew: true, ...client });
  ends.push(() => stock.disconnect());
  const received: unknown[][] = [];
  let wake = (): void => undefined;
  stock.onAny((...args: unknown[]) => {
    received.push(args);
    wake();
  });
  const next = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  const socket = await accepted;
  const tcpWrites: Buffer[] = [];
  const line = (socket.conn.transport as unknown as { socket?: { _socket: { write: (...args: unknown[]) => boolean } } })
    .socket?._socket;
  if (line) {
    const write = line.write.bind(line);
    line.write = (...args) => {
      const [bytes] = args;
      if (Buffer.isBuffer(bytes) && /\["(messages|deflated)"/.test(bytes.toString()) && args.length === 1)
        tcpWrites.push(bytes);
      return write(...args);
    };
  }
  return { sender: new FrameSender(namespace, 4_096), socket, received, next, tcpWrites };
}

async function arrived(many: number, { received, next }: { received: unknown[]; next: () => Promise<void> }): Promise<void> {
  while (received.length < many) await next();
}

test.each([10, 200, 4_000, 70_000, 300_000])('a stock client gets a frame of some %i bytes as it is', async (bytes) => {
  const line = await connected({ maxHttpBufferSize: 1e6 });
  const weighed = frameOf(1, bytes);
  line.sender.send(line.socket, weighed, false);
  await arrived(1, line);
  expect(line.received).toEqual([['messages', weighed.frame]]);
  expect(line.tcpWrites).toHaveLength(1);
});

test('who accepts that gets a large frame compressed, and a small one as it is', async () => {
  const line = await connected();
  const [large, small] = [frameOf(1, 10_000), frameOf(2, 100)];
  for (const weighed of [large, small]) line.sender.send(line.socket, weighed, true);
  await arrived(2, line);
  const [event, { data }] = line.received[0] as [string, { data: string }];
  expect(event).toBe('deflated');
  expect(JSON.parse(inflateSync(Buffer.from(data, 'base64')).toString()) as MessagesFrame).toEqual(large.frame);
  expect(line.received[1]).toEqual(['messages', small.frame]);
});

test.each([
  ['is encoded once', false],
  ['that is large is compressed once', true],
])('a frame %s, whoever and however many it goes to', async (_, accepts) => {
  const lines = await Promise.all([
    ...Array.from({ length: 3 }, () => connected()),
    connected({}, { transports: ['polling'] }),
  ]);
  const { weighed, taken } = counted(frameOf(1, 10_000));
  const { sender } = lines[0];
  for (const { socket } of lines) sender.send(socket, weighed, accepts);
  await Promise.all(lines.map((line) => arrived(1, line)));
  expect(taken()).toBe(1);
  const [first, ...others] = lines.flatMap(({ tcpWrites }) => tcpWrites);
  expect(others).toHaveLength(2);
  for (const bytes of others) expect(bytes).toBe(first);
});

test('a large frame is compressed once where an application’s own parser encodes it, too', async () => {
  const parser = { Encoder: Shouting, Decoder };
  const lines = await Promise.all(Array.from({ length: 3 }, () => connected({ parser })));
  const { weighed, taken } = counted(frameOf(1, 10_000));
  const { sender } = lines[0]!;
  for (const { socket } of lines) sender.send(socket, weighed, true);
  await Promise.all(lines.map((line) => arrived(1, line)));
  expect(taken()).toBe(1);
});

test('frames and what Socket.IO sends itself arrive in the order in which they were sent, in one turn and over several', async () => {
  const line = await connected();
  const sent: unknown[][] = [];
  for (let turn = 0; turn < 20; turn++) {
    for (let nth = 0; nth < 5; nth++) {
      const offset = turn * 5 + nth;
      if (offset % 3 === 0) {
        line.socket.emit('pong', { offset });
        sent.push(['pong', { offset }]);
      } else {
        // Some are more than the line takes at once.
        const weighed = frameOf(offset, offset % 7 === 0 ? 400_000 : 100);
        line.sender.send(line.socket, weighed, false);
        sent.push(['messages', weighed.frame]);
      }
    }
    if (turn % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await arrived(sent.length, line);
  expect(line.received).toEqual(sent);
  expect(line.tcpWrites.length).toBeGreaterThan(0);
});

test('over long polling, the same frames', async () => {
  const line = await connected({}, { transports: ['polling'] });
  const sent = [1, 2, 3].map((offset) => frameOf(offset, 100));
  for (const weighed of sent) line.sender.send(line.socket, weighed, false);
  await arrived(3, line);
  expect(line.received).toEqual(sent.map(({ frame }) => ['messages', frame]));
});

test('with a parser of the application’s own frames go the public way', async () => {
  const parser = { Encoder: Shouting, Decoder };
  const line = await connected({ parser });
  const weighed = frameOf(1, 100);
  line.sender.send(line.socket, weighed, false);
  await arrived(2, line);
  expect(line.received).toEqual([['messages', weighed.frame], ['again']]);
  expect(line.tcpWrites).toEqual([]);
});

test('nothing is sent to a socket that has left', async () => {
  const line = await connected();
  line.socket.disconnect();
  expect(() => line.sender.send(line.socket, frameOf(1, 100), false)).not.toThrow();
  expect(line.tcpWrites).toEqual([]);
});
