import type { SimulatedDevice } from './device.js';
import type { SimulatedNode } from './node.js';
import { bands, channels, users, type World } from './world.js';

/** Something that may happen to the world at any moment. It is left out where it does not fit. */
type Deed = (world: World) => unknown;

const oneHourMs = 3_600_000;

const awake = ({ running }: World): SimulatedNode[] => running.filter(({ party }) => !party.isPaused);
const device = ({ random, devices }: World) => random.pick(devices);

/** A server, more often than not the one in office. */
function server(world: World): SimulatedNode | undefined {
  const leaders = world.running.filter(({ isLeader }) => isLeader);
  const candidates = leaders.length > 0 && world.random.chance(0.6) ? leaders : world.running;
  return candidates.length > 0 ? world.random.pick(candidates) : undefined;
}

/** Where the work of the world happens: on any server that is not stopped. */
const onServer =
  (deed: (world: World, node: SimulatedNode) => unknown): Deed =>
  (world) => {
    const nodes = awake(world);
    return nodes.length > 0 ? deed(world, world.random.pick(nodes)) : undefined;
  };

export const work: readonly [weight: number, name: string, deed: Deed][] = [
  [60, 'publish', onServer((world, node) => world.publishers.publish(node))],
  [
    6,
    'revoke',
    onServer((world, node) => world.publishers.revoke(node, world.random.pick(users), world.random.pick(bands))),
  ],
  [9, 'grant', onServer((world, node) => world.publishers.grant(node, world.random.pick(users), world.random.pick(bands)))],
  [2, 'end a session', onServer((world, node) => world.publishers.endSession(node, device(world)))],
  [3, 'recover', (world) => recover(world, device(world))],
  [3, 'unfollow', (world) => device(world).unfollow(world.random.pick(device(world).channels))],
  [5, 'follow', (world) => device(world).follow(world.random.pick(device(world).channels))],
];

/** What sets a world back to its last backup. */
const restore = new WeakMap<World, () => Promise<void>>();

export const faults: readonly [weight: number, name: string, deed: Deed][] = [
  [14, 'cut a socket', (world) => device(world).line?.cut()],
  [3, 'half-open socket', (world) => device(world).line?.silence()],
  [3, 'load a page anew', (world) => device(world).start()],
  [3, 'make up a position', makeUp],
  [1, 'lose a store', (world) => device(world).loseStore()],
  [2, 'never acknowledge', (world) => device(world).setDeafToAcks(true)],
  [2, 'acknowledge again', (world) => device(world).setDeafToAcks(false)],
  [
    3,
    'kill a server',
    async (world) => {
      const node = server(world);
      if (!node) return;
      world.kill(node);
      await world.startNode();
    },
  ],
  [4, 'stop a server', (world) => void pause(server(world), true)],
  [4, 'let a server go on', (world) => void pause(server(world), false)],
  [3, 'cut a server off the database', cutOff],
  [1, 'database away', (world) => void (world.isDatabaseAway = true)],
  [3, 'database back', (world) => void (world.isDatabaseAway = false)],
  [4, 'retention', (world) => world.prune(world.random.pick(channels))],
  [3, 'back up', async (world) => restore.set(world, await world.backup())],
  [3, 'restore', setBack],
  [2, 'clock of a server jumps', (world) => void jump(world, server(world)?.party)],
  [1, 'clock of the database jumps', (world) => void jump(world, world.server)],
  [2, 'lose news', (world) => void (world.post.lostOf100 = world.random.pick([0, 30, 100]))],
  [2, 'double news', (world) => void (world.post.doubledOf100 = world.random.pick([0, 50]))],
];

/** Nothing is in anybody's way any more. */
export async function heal(world: World): Promise<void> {
  world.isDatabaseAway = false;
  world.post.lostOf100 = world.post.doubledOf100 = 0;
  for (const node of world.running) pause(node, false);
  for (const each of world.devices) {
    each.setDeafToAcks(false);
    await recover(world, each);
  }
}

const recover = ({ truth }: World, each: SimulatedDevice): Promise<void> =>
  each.recover((channel) => truth.mayFollow(each.userId, channel));

function pause(node: SimulatedNode | undefined, isPaused: boolean): void {
  if (node) node.party.isPaused = isPaused;
}

async function cutOff(world: World): Promise<void> {
  const node = server(world);
  if (node) await world.cutDatabase(node);
}

function jump({ random }: World, party: { skewMs: number } | undefined): void {
  if (party) party.skewMs += random.pick([-oneHourMs, -3_000, 1_000, 3_000, oneHourMs]);
}

/** As one of the band may tell it who has been there all along: all that they had at some offset. */
async function makeUp({ random, devices, model }: World): Promise<void> {
  const channel = random.pick(channels);
  const { offset: head } = model.head(channel);
  if (head > 0) await random.pick(devices).stand(channel, model.outcomeAt(channel, random.between(1, head)));
}

/** The last backup takes the database's place. As a rule, connections do not outlive that; behind a pooler they may. */
async function setBack(world: World): Promise<void> {
  const back = restore.get(world);
  if (!back) return;
  if (world.random.chance(0.7)) for (const node of world.nodes) await world.cutDatabase(node);
  await back();
}
