/** A process full of devices, started by `kill.ts`. */
import { writeFileSync } from 'node:fs';
import { playerOf, playersFor } from './cast.js';
import type { Device, World } from './device.js';
import type { DevicesSetting, FromDevices, ToDevices } from './messages.js';
import { Random } from './random.js';
import { StockDevice } from './stock-device.js';
import { Ids, type Stories } from './story.js';
import { SyncDevice } from './sync-device.js';

const setting = JSON.parse(process.argv[2]!) as DevicesSetting;
const misbehaveEveryMs = 400;
const countEveryMs = 200;

const random = new Random(setting.seed * 31 + setting.part);
const faults: string[] = [];
let onAdvance: (device: Device) => void = () => undefined;
const world: World = {
  servers: { ports: [] },
  random,
  ids: new Ids(),
  counts: { deliveries: 0, lostStores: 0 },
  fault: (what) => faults.push(what),
  advanced: (device) => onAdvance(device),
};
const players = playersFor(setting.devices);
const devices = Array.from({ length: setting.devices }, (_, nth) => nth)
  .filter((nth) => nth % setting.of === setting.part)
  .map(newDevice);

/** Of ten devices seven are ordinary, one is forgetful, one polls, one has a stock client. */
function newDevice(nth: number): Device {
  const player = playerOf(players, nth);
  const kind = Math.floor(nth / setting.of) % 10;
  if (kind === 9) return new StockDevice(`d${nth}`, player, world);
  return new SyncDevice(`d${nth}`, player, kind === 8 ? 'polling' : 'websocket', kind === 7, world);
}

const say = (message: FromDevices): void => void process.send?.(message);
let misbehaving: NodeJS.Timeout | undefined;

function storm(share: number): void {
  for (const device of devices) if (random.chance(share)) device.line.cut(device.isOpen);
}

/** Tells when all have everything, or what is missing when the time is over. */
function complete(heads: Record<string, number>, withinMs: number): void {
  const late = new Set(devices);
  const finish = (): void => {
    onAdvance = () => undefined;
    clearTimeout(timer);
    say({ say: 'completed', missing: [...late].flatMap((device) => device.missing(heads)) });
  };
  const timer = setTimeout(finish, withinMs);
  onAdvance = (device) => {
    if (late.has(device) && device.missing(heads).length === 0) late.delete(device);
    if (late.size === 0) finish();
  };
  for (const device of devices) onAdvance(device);
}

const handlers: { [Say in ToDevices['say']]: (message: Extract<ToDevices, { say: Say }>) => void } = {
  servers: ({ ports }) => {
    const isFirst = world.servers.ports.length === 0;
    world.servers.ports = ports;
    if (isFirst) for (const device of devices) device.connect();
  },
  misbehave: () => {
    misbehaving ??= setInterval(() => {
      for (const device of devices) if (random.chance(0.08)) device.misbehave();
    }, misbehaveEveryMs);
  },
  behave: () => {
    clearInterval(misbehaving);
    misbehaving = undefined;
    for (const device of devices) device.behave();
  },
  storm: ({ share }) => storm(share),
  complete: ({ heads, withinMs }) => complete(heads, withinMs),
  export: ({ file }) => {
    const told: Stories = { ids: world.ids.all, stories: devices.flatMap((device) => device.stories()), faults };
    // Stories may name messages that no application was told of yet: the names are taken last.
    writeFileSync(file, JSON.stringify({ ...told, ids: world.ids.all }));
    say({ say: 'exported' });
  },
};

process.on('disconnect', () => process.exit());
process.on('message', (message: ToDevices) => handlers[message.say](message as never));
setInterval(() => {
  const forcedReconnects = devices.reduce((sum, { line }) => sum + line.forcedReconnects, 0);
  say({ say: 'counts', counts: { ...world.counts, forcedReconnects, faults: faults.length } });
}, countEveryMs);
say({ say: 'ready' });
