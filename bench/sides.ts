import { demandWhole, type Arena } from './arena.js';
import type { Load } from './load/load.js';
import type { OursSetting } from './rigs/messages.js';
import type { Rig } from './rigs/rig.js';

/** The two that are compared, each with its devices connected and at rest while the other is measured. */
export interface Sides {
  ours: Load;
  stock: Load;
}
export const sideNames = ['ours', 'stock'] as const;
export type SideName = (typeof sideNames)[number];

/** @param databaseUrl of a PostgreSQL that has the tables */
export async function connectSides(
  arena: Arena,
  databaseUrl: string,
  devices: number,
  options: Partial<OursSetting> = {},
): Promise<Sides & { rigs: Record<SideName, Rig>; stop(): Promise<void> }> {
  const rigs = { ours: await arena.ours({ databaseUrl, users: devices, ...options }), stock: await arena.stock() };
  const sides = {
    ours: arena.load(rigs.ours, { dialect: 'sync', devices }),
    stock: arena.load(rigs.stock, { dialect: 'stock', devices }),
  };
  for (const name of sideNames) demandWhole(await sides[name].connect());
  return {
    ...sides,
    rigs,
    async stop() {
      for (const name of sideNames) {
        await sides[name].stop();
        await rigs[name].stop();
      }
    },
  };
}

/** Each side once a round, in turns, beginning with another one each time. */
export async function alternate<Found>(
  rounds: number,
  once: (side: SideName, round: number) => Promise<Found>,
): Promise<Record<SideName, Found[]>> {
  const found: Record<SideName, Found[]> = { ours: [], stock: [] };
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? sideNames : [...sideNames].reverse();
    for (const name of order) found[name].push(await once(name, round));
  }
  return found;
}
