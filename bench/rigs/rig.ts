import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { FromRig, Memory, OursSetting, StockSetting } from './messages.js';

/** A server under measurement, in a process of its own. */
export class Rig {
  private constructor(
    private readonly process: ChildProcess,
    readonly port: number,
    readonly publishPort: number,
    readonly channel: string,
  ) {}

  /** @throws Error when it ends before it serves; what it said is on this process's standard error */
  static async start(
    ...[program, setting]: [program: 'ours', setting: OursSetting] | [program: 'stock', setting: StockSetting]
  ): Promise<Rig> {
    const child = fork(join(import.meta.dirname, `${program}.js`), [JSON.stringify(setting)], {
      execArgv: ['--expose-gc', ...(process.env['BENCH_NODE_OPTIONS']?.split(' ') ?? [])],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const { port, publishPort, channel } = await next(child, 'ready');
    return new Rig(child, port, publishPort, channel);
  }

  get pid(): number {
    return this.process.pid!;
  }

  memory(): Promise<Memory> {
    const answer = next(this.process, 'memory');
    this.process.send({ say: 'memory' });
    return answer;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.disconnect();
    await ended;
  }
}

function next<Say extends FromRig['say']>(child: ChildProcess, say: Say): Promise<Extract<FromRig, { say: Say }>> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('A server under measurement has ended.'));
    child.once('exit', ended);
    child.on('message', function listen(message: FromRig) {
      if (message.say !== say) return;
      child.off('exit', ended).off('message', listen);
      resolve(message as Extract<FromRig, { say: Say }>);
    });
  });
}
