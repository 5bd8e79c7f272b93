import { spawn, type ChildProcess } from 'node:child_process';

/** A program that a test starts, whose output it waits for. */
export class Program {
  private readonly child: ChildProcess;
  private readonly ended: Promise<string>;
  private readonly waiting = new Set<() => void>();
  private output = '';
  private over = false;

  constructor(directory: string, args: readonly string[], env: Record<string, string | undefined> = {}) {
    this.child = spawn(process.execPath, args, {
      cwd: directory,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.wake();
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once('close', () => {
        this.over = true;
        this.wake();
        resolve(this.output);
      });
    });
  }

  /** Complete lines so far, of both outputs. */
  get lines(): string[] {
    return this.output.split('\n').slice(0, -1);
  }

  /** Resolves with the first match in a line that is complete. @throws Error with the output, when the program ends without it */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = this.lines.map((line) => pattern.exec(line)).find((match) => match !== null);
      if (found) return found;
      if (this.over) throw new Error(`The program ended and did not say ${pattern}:\n${this.output}`);
      await new Promise<void>((resolve) => void this.waiting.add(resolve));
    }
  }

  /** Resolves with all it wrote, when it has ended by itself. */
  async toEnd(): Promise<string> {
    return this.ended;
  }

  /** SIGSTOP, for instance: it stands still until SIGCONT. */
  send(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.over) this.child.kill(signal);
    await this.ended;
  }

  private wake(): void {
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }
}
