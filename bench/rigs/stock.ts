/** The opponent: a plain Socket.IO server with everybody in one room. Nothing is stored, nothing is acknowledged. */
import { createServer } from 'node:http';
import pg from 'pg';
import { Server, type Socket } from 'socket.io';
import type { StockSetting } from './messages.js';
import { openPublishPort } from './publish-port.js';
import { serve } from './serve.js';

const { recovery = false, databaseUrl } = JSON.parse(process.argv[2]!) as StockSetting;
const room = 'room';
const pageMessages = 100;

const http = createServer();
const io = new Server(http, { serveClient: false, ...(recovery ? { connectionStateRecovery: {} } : {}) });
const namespace = io.of('/bench');
const database = databaseUrl ? new pg.Pool({ connectionString: databaseUrl }) : null;
namespace.on('connection', (socket) => {
  if (!socket.recovered) void socket.join(room);
  if (database) void sendRows(socket, database);
});
const publishPort = await openPublishPort((note) => void namespace.to(room).emit('m', note));
await serve(http, publishPort, '-');

/** All that follows what the device has, read as simply as can be and sent in pages, without waiting for anything. */
async function sendRows(socket: Socket, database: pg.Pool): Promise<void> {
  const { rows } = await database.query<{ data: unknown }>(
    `select "offset"::float8 as "offset", id, type, key, data, published_at as at from sync_message
     where channel = 'band:bench' and "offset" > $1 order by "offset"`,
    [(socket.handshake.auth as { next: number }).next],
  );
  for (let from = 0; from < rows.length; from += pageMessages) {
    const messages = rows.slice(from, from + pageMessages);
    socket.emit('page', { many: messages.length, messages });
  }
}
