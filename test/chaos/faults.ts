import { setTimeout as pass } from 'node:timers/promises';
import type { EmbeddedPostgres } from '@soleil/devdb';
import type { Tally } from './kinds.js';
import type { LogOfRun } from './log-of-run.js';
import type { Nodes, NodeSlot } from './nodes.js';
import type { Random } from './random.js';

/** What faults are done to. */
export interface Victims {
  nodes: Nodes;
  postgres: EmbeddedPostgres;
  log: LogOfRun;
  random: Random;
  tally: Tally;
}

/** Does its damage, waits for the end of it, and says what it was. A killed server's successor may still be starting. */
type Fault = (victims: Victims) => Promise<string>;

export const faults: { readonly [name: string]: Fault } = {
  'kill the leader': async (victims) => killed(victims, await leader(victims)),
  'kill a server': async (victims) => killed(victims, victims.random.pick(victims.nodes.slots)),
  'kill every server': async (victims) => {
    const whom = await Promise.all(victims.nodes.slots.map((slot) => killed(victims, slot)));
    await victims.nodes.allReady();
    return whom.join(', ');
  },
  'stop the leader': async (victims) => stopped(victims, await leader(victims)),
  'stop a server': async (victims) => stopped(victims, victims.random.pick(victims.nodes.slots)),
  'crash PostgreSQL': (victims) => crashed(victims),
  'crash PostgreSQL, kill the leader': async (victims) => {
    const slot = await leader(victims);
    return (await Promise.all([crashed(victims), killed(victims, slot)])).join(', ');
  },
  'crash PostgreSQL while the leader is stopped': async (victims) => {
    const slot = await leader(victims);
    return (await Promise.all([crashed(victims), stopped(victims, slot)])).join(', ');
  },
  'cut the leader off PostgreSQL': async (victims) => cutOff(victims, await leader(victims)),
};

/** Any server where nobody is in office at present. */
async function leader({ nodes, log, random }: Victims): Promise<NodeSlot> {
  return nodes.named((await log.leader()) ?? '') ?? random.pick(nodes.slots);
}

async function killed({ nodes, random, tally }: Victims, slot: NodeSlot): Promise<string> {
  tally.count('SIGKILL of a server', await nodes.kill(slot));
  await pass(random.between(0, 800));
  nodes.launch(slot);
  return `${slot.name} killed`;
}

async function stopped({ random, tally }: Victims, { name, child }: NodeSlot): Promise<string> {
  const ms = random.between(200, 4_000);
  tally.count('SIGSTOP of a server', child.stop());
  await pass(ms);
  child.goOn();
  return `${name} stopped for ${ms} ms`;
}

async function crashed({ postgres, random, tally }: Victims): Promise<string> {
  const ran = postgres.pid !== undefined;
  await postgres.kill();
  tally.count('immediate stop of PostgreSQL', ran && postgres.pid === undefined);
  const ms = random.between(0, 1_000);
  await pass(ms);
  const began = Date.now();
  await postgres.restart();
  return `PostgreSQL crashed, away for ${ms + Date.now() - began} ms`;
}

async function cutOff({ random, tally }: Victims, { name, cable }: NodeSlot): Promise<string> {
  const ms = random.between(100, 3_000);
  tally.count('cut between a server and PostgreSQL', cable.hasLines);
  cable.pull();
  await pass(ms);
  cable.plugIn();
  return `${name} cut off for ${ms} ms`;
}
