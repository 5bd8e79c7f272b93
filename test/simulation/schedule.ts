import type { Random } from '../chaos/random.js';

/** Somebody to whom things happen: a process, or the database. */
export interface Party {
  readonly name: string;
  /** Nothing happens to it for now, as to a stopped process: timers and packets wait. */
  isPaused: boolean;
  /** Nothing happens to it any more. */
  isGone: boolean;
  /** How far its clock is off, in milliseconds. Timers do not mind. */
  skewMs: number;
}

export const party = (name: string): Party => ({ name, isPaused: false, isGone: false, skewMs: 0 });

/** Things that happen to one party in the order in which they were added. */
export class Lane {
  readonly things: Thing[] = [];

  constructor(readonly party: Party) {}
}

interface Thing {
  name: string;
  happen: () => unknown;
}

interface Timer extends Thing {
  party: Party;
  at: number;
  everyMs: number | null;
}

type Call = (...args: unknown[]) => void;

const real = { setImmediate: globalThis.setImmediate };

/**
 * Time and order of a simulated world. One thing happens at a time: a packet arrives, a statement runs, a timer fires. Which
 * one is next is drawn from the seed, and nothing else decides anything, so the same seed is the same run to the last bit.
 * What a thing sets off in promises runs to its end before the next one.
 *
 * {@link install} puts this time in the place of the process's: product code needs no change to live in it.
 */
export class Schedule {
  /** Milliseconds since the epoch of Unix. */
  now = Date.UTC(2026, 10, 23, 20);
  private readonly world = party('world');
  private current = this.world;
  private readonly lanes = new Set<Lane>();
  private readonly timers = new Set<Timer>();

  /** @param happened is told of everything, in order */
  constructor(
    private readonly random: Random,
    private readonly happened: (line: string) => void,
  ) {}

  /** Puts something at the end of a lane. */
  add(lane: Lane, name: string, happen: () => unknown): void {
    lane.things.push({ name, happen });
    this.lanes.add(lane);
  }

  /** Something that waits for nothing else. */
  addLoose(whom: Party, name: string, happen: () => unknown): void {
    this.add(new Lane(whom), name, happen);
  }

  after(whom: Party, ms: number, name: string, happen: () => unknown): void {
    this.timers.add({ party: whom, at: this.now + ms, everyMs: null, name, happen });
  }

  /** Runs code of this party's, and all that follows at once. */
  async as(whom: Party, work: () => unknown): Promise<void> {
    this.current = whom;
    try {
      await work();
      await allPromises();
    } finally {
      this.current = this.world;
    }
  }

  /** One thing happens. @returns false when there is nothing to happen, ever */
  async step(): Promise<boolean> {
    const next = this.choose();
    if (!next) return false;
    this.happened(`${this.now} ${next.party.name} ${next.name}`);
    await this.as(next.party, next.happen);
    this.now += this.random.between(0, 3);
    return true;
  }

  /** Takes the place of the process's clock and timers until what it returns is called. */
  install(): () => void {
    const kept = { ...pick(globalThis), now: Date.now, monotonic: performance.now };
    const start = (call: Call, ms: unknown, everyMs: number | null, args: unknown[]): Timer => {
      const timer: Timer = {
        party: this.current,
        at: this.now + Math.max(Number(ms) || 0, 0),
        everyMs,
        name: 'timer',
        happen: () => call(...args),
      };
      this.timers.add(timer);
      return timer;
    };
    const stop = (timer: unknown): void => void this.timers.delete(timer as Timer);
    Object.assign(globalThis, {
      setTimeout: (call: Call, ms: unknown, ...args: unknown[]) => start(call, ms, null, args),
      setInterval: (call: Call, ms: unknown, ...args: unknown[]) => start(call, ms, Number(ms), args),
      setImmediate: (call: Call, ...args: unknown[]) => start(call, 0, null, args),
      clearTimeout: stop,
      clearInterval: stop,
      clearImmediate: stop,
    });
    Date.now = () => this.now + this.current.skewMs;
    performance.now = () => this.now;
    return () => {
      const { now, monotonic, ...timers } = kept;
      Object.assign(globalThis, timers);
      Date.now = now;
      performance.now = monotonic;
    };
  }

  private choose(): (Thing & { party: Party }) | null {
    for (const lane of this.lanes) if (lane.things.length === 0 || lane.party.isGone) this.lanes.delete(lane);
    for (const timer of this.timers) if (timer.party.isGone) this.timers.delete(timer);
    const lanes = [...this.lanes].filter((lane) => !lane.party.isPaused);
    const timers = [...this.timers].filter((timer) => !timer.party.isPaused).sort((one, other) => one.at - other.at);
    const [earliest] = timers;
    if (lanes.length === 0) {
      if (!earliest) return null;
      this.now = Math.max(this.now, earliest.at);
    }
    const isDue = earliest !== undefined && earliest.at <= this.now;
    const chosen = this.random.between(isDue ? -1 : 0, lanes.length - 1);
    if (chosen >= 0) return { party: lanes[chosen]!.party, ...lanes[chosen]!.things.shift()! };
    if (earliest!.everyMs === null) this.timers.delete(earliest!);
    else earliest!.at = this.now + earliest!.everyMs;
    return earliest!;
  }
}

function pick(from: typeof globalThis) {
  const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate } = from;
  return { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate };
}

/** Resolves when no promise has anything left to run. */
const allPromises = (): Promise<void> => new Promise((resolve) => real.setImmediate(resolve));
