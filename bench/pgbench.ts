import { spawn } from 'node:child_process';

export interface Load {
  databaseUrl: string;
  /** A script in pgbench's language. */
  script: string;
  clients: number;
  seconds: number;
  variables: Record<string, string | number>;
}

export interface Throughput {
  transactions: number;
  /** Without the time that connecting took. */
  perSecond: number;
}

/**
 * Runs a load of transactions, each client as fast as it can. A writer in Node would measure itself: it is through with
 * its part of a transaction after some 4,000 a second.
 *
 * @throws Error when pgbench is not there, or a transaction failed
 */
export async function pgbench({ databaseUrl, script, clients, seconds, variables }: Load): Promise<Throughput> {
  const defined = Object.entries(variables).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
  const args = ['-n', '-M', 'prepared', '-c', `${clients}`, '-T', `${seconds}`, ...defined, '-f', '-', databaseUrl];
  const child = spawn('pgbench', args, { stdio: 'pipe' });
  child.stdin.on('error', () => undefined).end(script);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new Error(`pgbench cannot be run. Debian has it in the package postgresql.`, { cause })),
    );
    child.once('close', resolve);
  });
  const transactions = /transactions actually processed: (\d+)/.exec(output);
  const perSecond = /tps = ([\d.]+)/.exec(output);
  if (code !== 0 || !transactions || !perSecond) throw new Error(`pgbench ended with ${code}:\n${output}`);
  return { transactions: Number(transactions[1]), perSecond: Number(perSecond[1]) };
}
