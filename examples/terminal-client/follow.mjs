// Prints every change of your bands, as it happens. Nothing of ours is needed for that, only `npm install socket.io-client`.
//
//   node follow.mjs [url] [login] [password]        default: http://localhost:3000 tina rehearsal
//
// Each line is `channel @offset type key data`. Stop the server and start it again: what happened meanwhile comes
// first, once. A device that keeps what it gets stores each position together with the data, and starts from there.
import { randomUUID } from 'node:crypto';
import { io } from 'socket.io-client';

const [url = 'http://localhost:3000', login = 'tina', password = 'rehearsal'] = process.argv.slice(2);
const call = async (path, options) => (await fetch(new URL(path, url), options)).json();
const signIn = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ login, password }),
};
const { token, error } = await call('/auth/sign-in', signIn);
if (error) throw new Error(`${error.message} ${error.remedy}`);
const { channels } = await call('/sync/channels', { headers: { authorization: `Bearer ${token}` } });

const positions = new Map(); // of each channel: { epoch, offset }, up to which everything is printed
const socket = io(new URL('/sync', url).href, { auth: { token, deviceId: randomUUID(), protocol: 1 } });
socket.on('connect', () =>
  channels.forEach((channel) => socket.emit('subscribe', { channel, position: positions.get(channel) })),
);
socket.on('reset', ({ channel }) => positions.delete(channel)); // its history has become another one; that comes from the start
socket.on('messages', ({ channel, epoch, to, messages }) => {
  for (const { offset, type, key, data } of messages)
    console.log(`${channel} @${offset} ${type} ${key} ${JSON.stringify(data)}`);
  positions.set(channel, { epoch, offset: to });
  socket.emit('ack', { channel, offset: to });
});
socket.on('closing', ({ error, reconnect }) => reconnect || process.exit(console.error(error.message, error.remedy) ?? 1));
// Socket.IO comes back by itself when a line breaks, but not to a server that said goodbye or refused for the moment.
const again = () => socket.active || setTimeout(() => socket.connect(), 1000);
socket.on('disconnect', again);
socket.on('connect_error', ({ data }) =>
  data?.retryable === false ? process.exit(console.error(data.message) ?? 1) : again(),
);
