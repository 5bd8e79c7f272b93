import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** A process of the run, which is talked to in messages and can be treated badly. */
export class Child<To extends { say: string }, From extends { say: string }> {
  readonly ended: Promise<void>;
  private readonly process: ChildProcess;
  private readonly listeners = new Map<string, Set<(message: From) => void>>();
  private isOver = false;

  /** @param logFile gets all that it prints, after what is in it already */
  constructor(program: 'node' | 'devices' | 'worker', setting: object, logFile: string) {
    const log = openSync(logFile, 'a');
    this.process = fork(join(import.meta.dirname, `${program}.js`), [JSON.stringify(setting)], {
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.ended = new Promise((resolve) => {
      this.process.once('exit', () => {
        this.isOver = true;
        resolve();
      });
    });
    // Whoever is killed in the middle of a message breaks its pipe.
    this.process.on('error', () => undefined);
    this.process.on('message', (message: From) => {
      for (const listener of [...(this.listeners.get(message.say) ?? [])]) listener(message);
    });
  }

  get isAlive(): boolean {
    return !this.isOver;
  }

  tell(message: To): void {
    if (this.process.connected) this.process.send(message, () => undefined);
  }

  on<Say extends From['say']>(say: Say, listener: (message: Extract<From, { say: Say }>) => void): () => void {
    const listeners = this.listeners.get(say) ?? new Set();
    this.listeners.set(say, listeners);
    listeners.add(listener as (message: From) => void);
    return () => listeners.delete(listener as (message: From) => void);
  }

  /** @returns null when it ended without saying so */
  async next<Say extends From['say']>(say: Say): Promise<Extract<From, { say: Say }> | null> {
    let stop = (): void => undefined;
    const said = new Promise<Extract<From, { say: Say }>>((resolve) => {
      stop = this.on(say, resolve);
    });
    const message = await Promise.race([said, this.ended.then(() => null)]);
    stop();
    return message;
  }

  async ask<Say extends From['say']>(message: To, answer: Say): Promise<Extract<From, { say: Say }> | null> {
    const answered = this.next(answer);
    this.tell(message);
    return answered;
  }

  /** With SIGKILL: at once, in the middle of whatever it does. @returns false when it had ended by itself */
  async kill(): Promise<boolean> {
    this.process.kill('SIGKILL');
    await this.ended;
    return this.process.signalCode === 'SIGKILL';
  }

  /** It stands still, and nobody can tell it from one that is slow. @returns false when there is none to stop */
  stop(): boolean {
    return this.process.kill('SIGSTOP');
  }

  goOn(): void {
    this.process.kill('SIGCONT');
  }
}
