/** Names of messages, each stored once in a process. */
export class Ids {
  readonly all: string[] = [];
  private readonly numbers = new Map<string, number>();

  numberOf(id: string): number {
    let number = this.numbers.get(id);
    if (number === undefined) {
      number = this.all.push(id) - 1;
      this.numbers.set(id, number);
    }
    return number;
  }
}

/** What one channel told one device in the life of one store. */
export interface Story {
  device: string;
  /** As the server knows it; another one in each life. */
  deviceId: string;
  /** Counts up whenever the device lost its store. */
  life: number;
  channel: string;
  /** The offset of the state with which it began; null while it has not begun. From there on nothing may be missing. */
  startedAt: number | null;
  /** What was shown last. */
  position: number;
  /** What the application was told, in that order: offsets, and numbers of {@link Ids}. */
  offsets: number[];
  ids: number[];
  /** What was shown last: keys and the numbers of the messages that set them. */
  rows: [string, number][];
  /** The store was lost; it was not obliged to come any further. */
  isOver: boolean;
}

export const newStory = (device: string, deviceId: string, life: number, channel: string): Story => ({
  device,
  deviceId,
  life,
  channel,
  startedAt: null,
  position: 0,
  offsets: [],
  ids: [],
  rows: [],
  isOver: false,
});

/** What a process of devices hands over at the end. */
export interface Stories {
  ids: string[];
  stories: Story[];
  /** What a server must never do to a device, in words. */
  faults: string[];
}
