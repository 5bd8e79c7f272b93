import { IoAdapter } from '@nestjs/platform-socket.io';

type Make = IoAdapter['createIOServer'];

/** Socket.IO without its root namespace, which asks nobody who they are: lines that only talk to it would stay for ever. */
export class Sockets extends IoAdapter {
  override createIOServer(...given: Parameters<Make>): ReturnType<Make> {
    const server = super.createIOServer(...given);
    server.use((socket, next) => {
      next(new Error('Nothing is told here. Connect to the namespace /sync.'));
      // Once that is said.
      setImmediate(() => socket.conn.close());
    });
    return server;
  }
}
