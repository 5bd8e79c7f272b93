import { relativeTime } from '../design/relative-time.js';

/** One device, as GET /sync/messages/:id/delivery tells it. Times are ISO 8601. */
export interface DeviceReceipt {
  deviceId: string;
  name: string | null;
  isConnected: boolean;
  lastSeenAt: string;
  knowsSince: string | null;
  hasSince: string | null;
}

export interface MemberReceipts {
  userId: string;
  name: string;
  instrument: string;
  devices: DeviceReceipt[];
}

export interface ReceiptWords {
  tone: 'good' | 'busy' | 'warn' | 'quiet';
  state: string;
  /** When, where there is something to say. */
  detail: string | null;
  /** It is there: nothing is left to wait for. */
  isThere: boolean;
}

/**
 * Where a version has come on one device.
 * @param isKept it is a file that devices keep; else to know of it is all that can be had
 * @param now milliseconds
 */
export function deviceWords(device: DeviceReceipt, isKept: boolean, now: number): ReceiptWords {
  const { isConnected, lastSeenAt, knowsSince, hasSince } = device;
  const ago = (at: string): string => relativeTime(Date.parse(at), now);
  const lastSeen = `away, last seen ${ago(lastSeenAt)}`;
  if (isKept && hasSince !== null) return { tone: 'good', state: 'Has it', detail: ago(hasSince), isThere: true };
  if (!isKept && knowsSince !== null) return { tone: 'good', state: 'Knows of it', detail: ago(knowsSince), isThere: true };
  if (knowsSince !== null) {
    const detail = isConnected ? 'the file is on its way' : lastSeen;
    return { tone: isConnected ? 'busy' : 'warn', state: 'Knows of it', detail, isThere: false };
  }
  return { tone: isConnected ? 'busy' : 'warn', state: 'Not yet', detail: isConnected ? null : lastSeen, isThere: false };
}

/** The devices to name: those that were here last, at most `most` of them. */
export function latestDevices(devices: readonly DeviceReceipt[], most: number): DeviceReceipt[] {
  const seen = ({ isConnected, lastSeenAt }: DeviceReceipt): number => (isConnected ? Infinity : Date.parse(lastSeenAt));
  const order = (one: DeviceReceipt, other: DeviceReceipt): number =>
    seen(one) < seen(other) ? 1 : seen(one) > seen(other) ? -1 : 0;
  return [...devices].sort(order).slice(0, most);
}

/** The device that has come furthest speaks for its owner: it is the one to play from. */
export function memberWords({ devices }: MemberReceipts, isKept: boolean, now: number): ReceiptWords {
  const rank = ({ isConnected, knowsSince, hasSince }: DeviceReceipt): number =>
    (isKept && hasSince !== null ? 4 : 0) + (knowsSince !== null ? 2 : 0) + (isConnected ? 1 : 0);
  const [best] = [...devices].sort((one, other) => rank(other) - rank(one));
  if (best !== undefined) return deviceWords(best, isKept, now);
  return { tone: 'quiet', state: 'Not yet', detail: 'no device in sight', isThere: false };
}

/** "4 of 5 have it". */
export function summary(words: readonly ReceiptWords[], isKept: boolean): string {
  const there = words.filter(({ isThere }) => isThere).length;
  const [one, many] = isKept ? ['has it', 'have it'] : ['knows of it', 'know of it'];
  if (there === words.length && there > 1) return `All ${there} ${many}`;
  return `${there} of ${words.length} ${there === 1 ? one : many}`;
}
