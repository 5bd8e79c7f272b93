import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { createInterface } from 'node:readline';

import { GUARDIAN_SOURCE, GUARDIAN_TITLE } from './guardian-source.js';
import type { CommandLine } from './run-as.js';

/** What the guardian is to start, and as whom. */
export interface ServerCommand extends CommandLine {
  cwd: string;
  /** Used where there are no signals (Windows). */
  pgCtl: string;
  env: NodeJS.ProcessEnv;
}

/** How a server ended. `guardianLost`: its guardian was killed, and PostgreSQL itself may still be running. */
export interface ServerEnd {
  code: number | null;
  signal: string | null;
  guardianLost: boolean;
  /** The last lines that PostgreSQL logged. */
  lastLines: string[];
}

const READY = 'database system is ready to accept connections';
const KEPT_LINES = 40;

/** How long a shutdown may take before the guardian asks for an immediate one, and once more before it kills. */
const PATIENCE_MS = 10_000;

/** One PostgreSQL process under its guardian, from start to end. */
export class GuardedServer {
  /** Settles with the process id when PostgreSQL accepts connections, or with how it ended instead. */
  readonly started: Promise<{ pid: number } | { end: ServerEnd }>;
  readonly ended: Promise<ServerEnd>;

  private readonly guardian: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly lastLines: string[] = [];

  constructor(server: ServerCommand, onLine: (line: string) => void) {
    const { env, ...command } = server;
    const spec = { ...command, title: `${GUARDIAN_TITLE} ${process.pid}`, patienceMs: PATIENCE_MS };
    this.guardian = spawn(process.execPath, ['-e', GUARDIAN_SOURCE, JSON.stringify(spec)], {
      // A session of its own: Ctrl+C in the terminal must reach the platform alone, which still needs the database to end well.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: server.cwd,
      env,
      windowsHide: true,
    });
    // A command to a guardian that has just ended is no error: the end itself is what is being waited for.
    this.guardian.stdin.on('error', () => undefined);

    let outcome: Pick<ServerEnd, 'code' | 'signal'> | undefined;
    let knowPid: (pid: number) => void = () => undefined;
    let beReady: () => void = () => undefined;
    const pid = new Promise<number>((resolve) => (knowPid = resolve));
    const ready = new Promise<void>((resolve) => (beReady = resolve));

    createInterface(this.guardian.stdout).on('line', (line) => {
      const fact = JSON.parse(line) as {
        pid?: number;
        ended?: { code: number | null; signal: string | null };
        error?: string;
      };
      if (fact.pid !== undefined) knowPid(fact.pid);
      if (fact.error !== undefined) this.keep(fact.error);
      if (fact.ended !== undefined) outcome = fact.ended;
    });
    createInterface(this.guardian.stderr).on('line', (line) => {
      this.keep(line);
      onLine(line);
      if (line.includes(READY)) beReady();
    });

    this.ended = new Promise((resolve) => {
      const end = (guardianLost: boolean) =>
        resolve({ code: null, signal: null, ...outcome, guardianLost, lastLines: this.lastLines });
      // "close" follows once the log is read to its end. A killed guardian leaves the log open as long as PostgreSQL lives.
      this.guardian.on('close', () => end(false));
      this.guardian.on('exit', (code) => code !== 0 && end(true));
      this.guardian.on('error', (error) => {
        this.keep(error.message);
        end(false);
      });
    });
    const isUp = Promise.all([pid, ready]).then(([known]) => ({ pid: known }));
    this.started = Promise.race([isUp, this.ended.then((end) => ({ end }))]);
  }

  /** Ends PostgreSQL: `fast` rolls back and writes everything down, `immediate` is a crash that the next start recovers from. */
  async shutDown(manner: 'fast' | 'immediate'): Promise<ServerEnd> {
    this.keepProcessAlive(true);
    this.guardian.stdin.write(`${manner}\n`);
    return this.ended;
  }

  /** Whether this process must stay for the server's sake: yes while starting and stopping, no in between. */
  keepProcessAlive(yes: boolean): void {
    const handles = [this.guardian, ...(this.guardian.stdio.slice(0, 3) as unknown as Socket[])];
    for (const handle of handles) {
      if (yes) handle.ref();
      else handle.unref();
    }
  }

  private keep(line: string): void {
    this.lastLines.push(line);
    if (this.lastLines.length > KEPT_LINES) this.lastLines.shift();
  }
}
