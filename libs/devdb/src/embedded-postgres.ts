import { createServer, type AddressInfo } from 'node:net';
import { parse } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import pg from 'pg';

import { ensureLibraryLinks, locateBinaries, type Binaries } from './binaries.js';
import { awaitFreeCluster, CLUSTER_NAME } from './cluster-holder.js';
import { createCluster, openDataDir, readPassword, ROLE, type DataDir } from './cluster.js';
import { DevDbError } from './dev-db-error.js';
import { GuardedServer, type ServerCommand, type ServerEnd } from './guarded-server.js';
import { chooseRunAs, commandLine, type RunAs } from './run-as.js';

export interface StartPostgresOptions {
  /** A folder for this database alone; made if absent. Relative paths are from the working directory. */
  dataDir: string;
  /**
   * Settings of `postgresql.conf`, such as `{ fsync: 'off' }`. The defaults are PostgreSQL's, in UTC; address and port are not
   * the caller's to set.
   */
  settings?: Record<string, string | number>;
  /** Is given every line that PostgreSQL logs. */
  log?: (line: string) => void;
  /** Is told when PostgreSQL ends though neither `stop` nor `kill` asked for it. */
  onExit?: (end: { code: number | null; signal: string | null; lastLines: string[] }) => void;
}

const HOST = '127.0.0.1';
const MAIN_DATABASE = ROLE;
const MAINTENANCE_DATABASE = 'postgres';
const START_PATIENCE_MS = 30_000;
const RETRY_MS = 50;

/**
 * Starts a PostgreSQL of this process's own on a free port of 127.0.0.1, and creates role and database `soleil` on the
 * first start. Encoding is UTF-8, collation C, time zone UTC, and commits are durable unless `settings` say otherwise.
 *
 * It ends with this process at the latest, however that ends, and does not keep it alive. A previous start's server that
 * is still stopping is waited for.
 *
 * @throws DevDbError with a `code` and a `remedy`, see `DevDbErrorCode`
 */
export async function startPostgres(options: StartPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = await locateBinaries();
  const dataDir = await openDataDir(options.dataDir);
  const env = await serverEnvironment(binaries, dataDir);
  const runAs = await chooseRunAs(dataDir.path, dataDir.hasCluster, binaries, env);
  if (!dataDir.hasCluster) {
    await createCluster(dataDir, binaries, runAs, env, options.settings?.['fsync'] !== 'off');
  }
  const password = await readPassword(dataDir, binaries);
  const postgres = new EmbeddedPostgres(options, { binaries, dataDir, env, runAs, password });
  await postgres.restart();
  return postgres;
}

interface Premises {
  binaries: Binaries;
  dataDir: DataDir;
  env: NodeJS.ProcessEnv;
  runAs: RunAs;
  password: string;
}

interface Running {
  server: GuardedServer;
  pid: number;
  /** Set when this process asks for the end, so that it is not reported as a surprise. */
  isWanted: boolean;
}

/** A running embedded PostgreSQL; `startPostgres` makes it. */
export class EmbeddedPostgres {
  private running: Running | undefined;
  private lastPort: number | undefined;

  constructor(
    private readonly options: StartPostgresOptions,
    private readonly premises: Premises,
  ) {}

  /** The data directory, absolute and without symbolic links. */
  get dataDir(): string {
    return this.premises.dataDir.path;
  }

  /** The TCP port on 127.0.0.1. It stays the same over `restart`. */
  get port(): number {
    return this.lastPort as number;
  }

  /** The process id of PostgreSQL's postmaster; undefined while it is stopped. */
  get pid(): number | undefined {
    return this.running?.pid;
  }

  /** A connection string with the password, for the database `soleil` unless another is named. */
  url(database: string = MAIN_DATABASE): string {
    return `postgresql://${ROLE}:${this.premises.password}@${HOST}:${this.port}/${encodeURIComponent(database)}`;
  }

  /** Fast shutdown: open transactions are rolled back, everything committed is on disk. Does nothing when it is stopped. */
  async stop(): Promise<void> {
    await this.end('fast');
  }

  /** Immediate shutdown, for fault tests: a crash, in which only what was durably committed survives. */
  async kill(): Promise<void> {
    await this.end('immediate');
  }

  /**
   * Starts again on the same port; stops first if it runs.
   * @throws DevDbError `port_in_use` when the port was taken meanwhile, `database_in_use`, `start_failed`
   */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
    await this.ensureMainDatabase();
  }

  /** Creates a database as a copy of `template`, to which nobody may be connected; empty without one. */
  async createDatabase(name: string, template?: string): Promise<void> {
    const from = template === undefined ? '' : ` template ${pg.escapeIdentifier(template)}`;
    await this.maintain(`create database ${pg.escapeIdentifier(name)}${from}`);
  }

  /** Removes a database if it exists, and ends the sessions that use it. */
  async dropDatabase(name: string): Promise<void> {
    await this.maintain(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
  }

  private async end(manner: 'fast' | 'immediate'): Promise<void> {
    const { running } = this;
    if (running === undefined) return;
    running.isWanted = true;
    await this.settle(await running.server.shutDown(manner));
    if (this.running === running) this.running = undefined;
  }

  /** A server whose guardian was killed lives on without one; it is ended before its end counts. */
  private async settle(end: ServerEnd): Promise<void> {
    if (end.guardianLost) await awaitFreeCluster(this.premises.dataDir.cluster);
  }

  private async start(): Promise<void> {
    const deadline = Date.now() + START_PATIENCE_MS;
    for (;;) {
      await awaitFreeCluster(this.premises.dataDir.cluster);
      const port = this.lastPort ?? (await freePort());
      const server = new GuardedServer(this.command(port), this.options.log ?? (() => undefined));
      const started = await server.started;
      if ('pid' in started) return this.adopt(server, started.pid, port);
      const retry = Date.now() < deadline && isPassing(started.end, this.lastPort === undefined);
      if (!retry) throw startFailed(started.end, port);
      await delay(RETRY_MS);
    }
  }

  private adopt(server: GuardedServer, pid: number, port: number): void {
    const running: Running = { server, pid, isWanted: false };
    this.running = running;
    this.lastPort = port;
    server.keepProcessAlive(false);
    void server.ended.then(async (end) => {
      if (running.isWanted) return;
      if (this.running === running) this.running = undefined;
      await this.settle(end).catch((error: Error) => end.lastLines.push(error.message));
      this.options.onExit?.({ code: end.code, signal: end.signal, lastLines: end.lastLines });
    });
  }

  private command(port: number): ServerCommand {
    const { binaries, dataDir, env, runAs } = this.premises;
    const settings = {
      timezone: 'UTC',
      log_timezone: 'UTC',
      ...this.options.settings,
      // The folder of a Unix socket may be too deep for the system's limit of some hundred characters, so there is none.
      unix_socket_directories: '',
      listen_addresses: HOST,
      port,
      cluster_name: CLUSTER_NAME,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const line = commandLine(runAs, binaries.postgres, ['-D', dataDir.cluster, ...args]);
    return { ...line, env, cwd: parse(dataDir.path).root, pgCtl: binaries.pgCtl };
  }

  private async ensureMainDatabase(): Promise<void> {
    const found = await this.maintain('select from pg_database where datname = $1', [MAIN_DATABASE]);
    if (found.rowCount === 0) await this.createDatabase(MAIN_DATABASE);
  }

  private async maintain(sql: string, values: string[] = []): Promise<pg.QueryResult> {
    const client = new pg.Client({ connectionString: this.url(MAINTENANCE_DATABASE) });
    await client.connect();
    try {
      return await client.query(sql, values);
    } finally {
      await client.end();
    }
  }
}

/** This process's environment without what would steer PostgreSQL's or Node's programs. */
async function serverEnvironment(binaries: Binaries, dataDir: DataDir): Promise<NodeJS.ProcessEnv> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|NODE_)/.test(name));
  const env: NodeJS.ProcessEnv = { ...Object.fromEntries(kept), LC_ALL: 'C' };
  const libraryPath = await ensureLibraryLinks(binaries.root, dataDir.lib);
  if (libraryPath !== undefined) env[process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH'] = libraryPath;
  return env;
}

/** Nobody else can be kept from taking the port before PostgreSQL does; then the start is tried with another. */
async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, HOST, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function saysPortTaken(end: ServerEnd): boolean {
  return end.lastLines.some((line) => /could not bind|could not create any TCP\/IP sockets/.test(line));
}

/**
 * Whether another attempt may succeed: another start was quicker (then it is told who), backends of a killed postmaster
 * have not all noticed yet, or a port that was free has just been taken.
 */
function isPassing(end: ServerEnd, mayChangePort: boolean): boolean {
  if (saysPortTaken(end)) return mayChangePort;
  return end.lastLines.some((line) => /lock file "postmaster\.pid"|pre-existing shared memory block/.test(line));
}

function startFailed(end: ServerEnd, port: number): DevDbError {
  if (saysPortTaken(end)) {
    return new DevDbError(
      'port_in_use',
      `Port ${port} on ${HOST}, on which PostgreSQL is to start again, has been taken by another process.`,
      'Free the port, or start the platform anew, which chooses another.',
    );
  }
  const how = end.signal === null ? `with code ${end.code}` : `by ${end.signal}`;
  return new DevDbError(
    'start_failed',
    `PostgreSQL ended ${how} before it was ready. Its last words:\n${end.lastLines.join('\n')}`,
    'Read its last words; when the data is of no value, removing the data directory starts afresh.',
  );
}
