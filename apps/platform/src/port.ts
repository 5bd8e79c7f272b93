import { createServer } from 'node:net';

/** @throws Error that says what to do, before anything was started for nothing */
export async function requireFreePort(port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const why: Record<string, string> = {
        EADDRINUSE: `Port ${port} is taken, perhaps by another SOLEil. Stop that program, or choose another port: PORT=${port + 1} npm start`,
        EACCES: `Port ${port} needs rights that this user does not have. Choose one above 1023: PORT=3000 npm start`,
        EADDRNOTAVAIL: `This machine has no address ${host}. Choose HOST=127.0.0.1 or HOST=0.0.0.0.`,
      };
      reject(new Error(why[error.code ?? ''] ?? error.message));
    });
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}
