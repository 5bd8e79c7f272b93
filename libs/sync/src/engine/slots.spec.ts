import { priorities, type Priority } from '../entities/sync-operation.js';
import { Slots } from './slots.js';

const names = Object.keys(priorities) as Priority[];

interface One {
  priority: Priority;
  age: number;
}

/** What waits, by priority and age, and a process that takes it on. */
class Queue {
  now = 0;
  readonly slots: Slots;
  readonly begun: One[] = [];
  readonly running: Priority[] = [];
  readonly losing: AbortController[] = [];
  claimed = 0;
  private age = 0;
  private readonly waiting: One[] = [];

  constructor(workers: number) {
    this.slots = new Slots(workers, () => this.now);
  }

  add(priority: Priority, many = 1): void {
    for (let n = 0; n < many; n++) this.waiting.push({ priority, age: this.age++ });
  }

  /** Claims until there is no room or nothing to claim. */
  async fill(): Promise<void> {
    for (let turn = this.slots.next; turn; turn = this.slots.next) {
      const found = [...this.waiting.slice(0, turn.oldest), ...this.first(turn.from, turn.limit, turn.oldest)];
      this.slots.had(turn, found.length);
      for (const one of found) this.take(one);
      if (found.length === 0) break;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  end(priority: Priority): void {
    this.running.splice(this.running.indexOf(priority), 1);
    this.slots.free(priorities[priority]);
  }

  private take(one: One): void {
    this.waiting.splice(this.waiting.indexOf(one), 1);
    this.claimed += 1;
    const lost = new AbortController();
    this.losing.push(lost);
    void this.slots.take(priorities[one.priority], lost.signal).then((how) => {
      if (how === 'lost') return;
      this.running.push(one.priority);
      this.begun.push(one);
    });
  }

  private first(from: readonly Priority[], limit: number, oldest: number): One[] {
    const order = (one: One): number => names.indexOf(one.priority) * 1e6 + one.age;
    return this.waiting
      .slice(oldest)
      .filter(({ priority }) => from.includes(priority))
      .sort((one, other) => order(one) - order(other))
      .slice(0, limit);
  }
}

/** So many ended in the fifty milliseconds before these. */
async function ending(many: number, workers: number): Promise<Queue> {
  const queue = new Queue(workers);
  for (let n = 0; n < many; n++) {
    queue.add('normal');
    await queue.fill();
    queue.end('normal');
  }
  queue.now += 50;
  queue.claimed = 0;
  return queue;
}

test('as many run as there are workers, and one critical one more, at once', async () => {
  const queue = new Queue(3);
  queue.add('low', 10);
  await queue.fill();
  expect(queue.running).toEqual(['low', 'low', 'low']);
  queue.add('critical', 2);
  await queue.fill();
  expect(queue.running).toEqual(['low', 'low', 'low', 'critical']);
  queue.end('critical');
  await queue.fill();
  expect(queue.running).toEqual(['low', 'low', 'low', 'critical']);
});

test('criticals may have every place', async () => {
  const queue = new Queue(2);
  queue.add('critical', 5);
  await queue.fill();
  expect(queue.running).toEqual(['critical', 'critical', 'critical']);
});

test('under a load of criticals that never ends, every twentieth place goes to what has waited longest', async () => {
  const queue = new Queue(1);
  queue.add('low', 5);
  for (let n = 0; n < 120; n++) {
    queue.add('critical', 2);
    await queue.fill();
    queue.end(queue.running[0]!);
  }
  const places = queue.begun.flatMap(({ priority }, place) => (priority === 'low' ? [place] : []));
  expect(places).toEqual([19, 39, 59, 79, 99]);
});

test('the turn of the oldest passes when there is none, and the next is claimed by priority', async () => {
  const queue = new Queue(1);
  for (let n = 0; n < 19; n++) {
    queue.add('normal');
    await queue.fill();
    queue.end('normal');
  }
  await queue.fill();
  queue.add('low');
  queue.add('high');
  await queue.fill();
  expect(queue.running).toEqual(['high']);
});

test('nothing is claimed ahead while nothing has ended, and as many as ended lately else, a hundred at most', async () => {
  for (const [ended, claimed] of [
    [0, 2],
    [6, 8],
    [300, 102],
  ] as const) {
    const queue = await ending(ended, 2);
    queue.add('low', 1_000);
    await queue.fill();
    expect([queue.running.length, queue.claimed]).toEqual([2, claimed]);
  }
});

test('what was claimed ahead begins by priority, critical ones at once', async () => {
  const queue = await ending(10, 2);
  queue.add('low', 20);
  await queue.fill();
  queue.add('critical');
  queue.add('high');
  await queue.fill();
  expect(queue.running).toEqual(['low', 'low', 'critical']);
  queue.end('critical');
  for (let n = 0; n < 6; n++) queue.end('low');
  await queue.fill();
  queue.end('low');
  await queue.fill();
  expect(queue.running).toContain('high');
});

test('ahead is claimed in large steps, and no more once operations take long', async () => {
  const queue = await ending(40, 2);
  queue.add('low', 1_000);
  await queue.fill();
  expect(queue.claimed).toBe(42);
  for (let n = 0; n < 19; n++) queue.end('low');
  expect(queue.slots.next).toMatchObject({ from: ['critical'] });
  queue.end('low');
  expect(queue.slots.next).toMatchObject({ from: names, limit: 19, oldest: 1 });
  queue.now += 1_000;
  expect(queue.slots.next).toBeNull();
});

test('what is lost before it begins has no place any more', async () => {
  const queue = await ending(3, 1);
  queue.add('low', 3);
  await queue.fill();
  queue.losing.at(-2)!.abort();
  queue.end('low');
  await queue.fill();
  expect(queue.begun.map(({ age }) => age).slice(-2)).toEqual([3, 5]);
});
