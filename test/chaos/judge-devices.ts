import type { LogMessage, Verdict } from './evidence.js';
import type { Stories, Story } from './story.js';

interface Channel {
  messages: LogMessage[];
  /** By id: where it is in `messages`. */
  places: Map<string, number>;
}

/** Holds what every device was told against the log. */
export function judgeDevices(devices: readonly Stories[], log: readonly LogMessage[], verdict: Verdict): void {
  const channels = new Map<string, Channel>();
  for (const message of log) {
    let channel = channels.get(message.channel);
    if (!channel) channels.set(message.channel, (channel = { messages: [], places: new Map() }));
    channel.places.set(message.id, channel.messages.push(message) - 1);
  }
  for (const { ids, stories, faults } of devices) {
    for (const fault of faults) verdict.faults.add(fault);
    for (const story of stories) {
      const channel = channels.get(story.channel) ?? { messages: [], places: new Map<string, number>() };
      checkTold(story, ids, channel, verdict);
      checkComplete(story, ids, channel, verdict);
      checkRows(story, ids, channel, verdict);
    }
  }
}

/**
 * Each message once, and all in the log's order. Two devices that both keep the log's order agree on every pair, so this
 * compares every device with every other.
 */
function checkTold(story: Story, ids: readonly string[], { messages, places }: Channel, verdict: Verdict): void {
  const told = new Set<number>();
  let last = -1;
  story.ids.forEach((number, nth) => {
    const offset = story.offsets[nth]!;
    const what = `${name(story)} offset ${offset} id ${ids[number]}`;
    const place = places.get(ids[number]!);
    if (told.has(number)) verdict.twice.add(`${what}: told twice`);
    told.add(number);
    if (place === undefined) {
      verdict.invented.add(`${what}: not in the log`);
      return;
    }
    if (messages[place]!.offset !== offset) verdict.disordered.add(`${what}: at ${messages[place]!.offset} in the log`);
    if (place < last) verdict.disordered.add(`${what}: told after ${messages[last]!.offset}`);
    last = Math.max(last, place);
  });
}

/** From the state with which it began up to where it came: everything, but for what a later one of its key, told too, replaces. */
function checkComplete(story: Story, ids: readonly string[], { messages }: Channel, verdict: Verdict): void {
  const head = messages.at(-1)?.offset ?? 0;
  if (!story.isOver && story.position < head) verdict.lost.add(`${name(story)} ends at ${story.position} of ${head}`);
  const told = new Set(story.ids.map((number) => ids[number]!));
  const replaced = new Set<string>();
  for (const { offset, id, n, key } of messages.toReversed()) {
    if (offset > story.position) continue;
    if (offset <= (story.startedAt ?? Infinity)) break;
    if (told.has(id)) {
      if (key !== null) replaced.add(key);
    } else if (n !== null && (key === null || !replaced.has(key))) {
      verdict.lost.add(`${name(story)} never got offset ${offset} id ${id} (message ${n})`);
    }
  }
}

/** What is shown is what the log's messages up to there make of it. */
function checkRows(story: Story, ids: readonly string[], { messages }: Channel, verdict: Verdict): void {
  const wanted = new Map<string, string>();
  for (const { offset, key, id, gone } of messages) {
    if (offset > story.position) break;
    if (key === null) continue;
    if (gone) wanted.delete(key);
    else wanted.set(key, id);
  }
  const shown = new Map(story.rows.map(([key, number]) => [key, ids[number]!]));
  for (const key of new Set([...wanted.keys(), ...shown.keys()])) {
    if (wanted.get(key) !== shown.get(key))
      verdict.wrongRows.add(
        `${name(story)} at ${story.position} shows ${key} as ${shown.get(key)}, it is ${wanted.get(key)}`,
      );
  }
}

const name = ({ device, life, channel }: Story): string => `${device} (life ${life}) ${channel}`;
