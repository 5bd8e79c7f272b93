import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { promisify } from 'node:util';

export interface LoadSetting {
  dialect: 'sync' | 'stock';
  port: number;
  /** Where messages are handed over, see `openPublishPort`. */
  publishPort: number;
  devices: number;
  channel: string;
  /** The messages of every such device are read one by one, 16 by default; of the others what frames say of themselves. */
  verifyEvery?: number;
  tokenFile?: string | undefined;
}

/** What a command of the generator found. Times are milliseconds. */
export interface Answer {
  stored: number;
  refused: number;
  lost: number;
  doubled: number;
  misplaced: number;
  dropped: number;
}

export interface Times {
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/** `deliveries`, in so many `frames`, of which `measured` were timed, from the moment at which a message was due. */
export type Run = Answer & Times & { deliveries: number; frames: number; measured: number };
/** `ms` until everybody had everything; the times are those of single devices. */
export type Connected = Answer & Times & { ms: number };

/**
 * The load generator in C (`load.h`): devices on raw sockets in a process of its own, since one in Node is itself the limit
 * above some 200,000 deliveries a second.
 */
export class Load {
  private readonly answers: AsyncIterator<string, undefined>;
  private readonly lines: Interface;
  private lastWords = '';

  private constructor(private readonly process: ChildProcessWithoutNullStreams) {
    this.lines = createInterface(process.stdout);
    this.answers = this.lines[Symbol.asyncIterator]();
    process.stderr.on('data', (bytes: Buffer) => (this.lastWords += bytes.toString()));
    process.stdin.on('error', () => undefined);
  }

  /** @param program what {@link compileLoad} made */
  static start(program: string, setting: LoadSetting): Load {
    const { dialect, port, publishPort, devices, channel, verifyEvery = 16, tokenFile } = setting;
    const args = [dialect, port, publishPort, devices, verifyEvery, channel, ...(tokenFile ? [tokenFile] : [])];
    return new Load(spawn(program, args.map(String)));
  }

  /** All devices, some at a time; resolves when each has what there is. */
  connect(): Promise<Connected> {
    return this.ask('connect');
  }

  /** All devices at once, with what they have; resolves when each has what it missed. */
  reconnect(): Promise<Connected> {
    return this.ask('reconnect');
  }

  cut(): Promise<Answer> {
    return this.ask('cut');
  }

  /** So many devices read nothing any more; 0: all do again. */
  stall(devices: number): Promise<Answer> {
    return this.ask(`stall ${devices}`);
  }

  /** Open loop, evenly spaced. Resolves when every device has everything. */
  run(perSecond: number, warmUpMs: number, measuredMs: number): Promise<Run> {
    return this.ask(`run ${perSecond} ${warmUpMs} ${measuredMs}`);
  }

  /** For devices that are away; resolves when all are stored. */
  publish(perSecond: number, messages: number): Promise<Answer> {
    return this.ask(`publish ${perSecond} ${messages}`);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('close', resolve));
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGKILL');
    await ended;
  }

  private async ask<Result extends Answer>(command: string): Promise<Result> {
    this.process.stdin.write(`${command}\n`);
    const answer = await this.answers.next();
    if (answer.done) throw new Error(`The load generator ended at "${command}": ${this.lastWords}`);
    return JSON.parse(answer.value) as Result;
  }
}

/** @returns the program. @throws Error that says what to install where there is no compiler */
export async function compileLoad(sources: string, into: string): Promise<string> {
  const compiler = process.env['CC'] ?? 'cc';
  const program = join(into, 'load');
  const files = (await readdir(sources)).filter((name) => name.endsWith('.c')).map((name) => join(sources, name));
  try {
    await promisify(execFile)(compiler, ['-O2', '-pthread', '-D_GNU_SOURCE', '-o', program, ...files]);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Error(
      isMissing
        ? `The benchmark's load generator is in C, and there is no "${compiler}". Install gcc or clang (Debian: apt install gcc libc6-dev), or name a compiler in CC. It needs Linux (epoll).`
        : `The benchmark's load generator cannot be compiled; it needs Linux (epoll). ${(error as Error).message}`,
      { cause: error },
    );
  }
  return program;
}
