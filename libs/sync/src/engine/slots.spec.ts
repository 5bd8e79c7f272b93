import { priorities, type Priority } from '../entities/sync-operation.js';
import { Slots } from './slots.js';

const names = Object.keys(priorities) as Priority[];

/** What waits, by priority and age, and a process that takes it on. */
class Queue {
  readonly slots: Slots;
  readonly running: Priority[] = [];
  readonly started: { priority: Priority; age: number }[] = [];
  private age = 0;
  private readonly waiting: { priority: Priority; age: number }[] = [];

  constructor(workers: number) {
    this.slots = new Slots(workers);
  }

  add(priority: Priority, many = 1): void {
    for (let n = 0; n < many; n++) this.waiting.push({ priority, age: this.age++ });
  }

  /** Claims until there is no room or nothing to claim. */
  fill(): void {
    for (let turn = this.slots.next; turn; turn = this.slots.next) {
      const found = 'from' in turn ? this.first(turn.from, turn.limit) : this.waiting.slice(0, 1);
      if ('oldest' in turn) this.slots.oldestHasTurn();
      for (const one of found) {
        this.waiting.splice(this.waiting.indexOf(one), 1);
        this.slots.take(one.priority === 'critical');
        this.running.push(one.priority);
        this.started.push(one);
      }
      if (found.length === 0) return;
    }
  }

  end(priority: Priority): void {
    this.running.splice(this.running.indexOf(priority), 1);
    this.slots.free(priority === 'critical');
  }

  private first(from: readonly Priority[], limit: number): { priority: Priority; age: number }[] {
    const order = (one: { priority: Priority; age: number }): number => names.indexOf(one.priority) * 1e6 + one.age;
    return this.waiting
      .filter(({ priority }) => from.includes(priority))
      .sort((one, other) => order(one) - order(other))
      .slice(0, limit);
  }
}

test('as many run as there are workers, and one critical one more, at once', () => {
  const queue = new Queue(3);
  queue.add('low', 10);
  queue.fill();
  expect(queue.running).toEqual(['low', 'low', 'low']);
  queue.add('critical', 2);
  queue.fill();
  expect(queue.running).toEqual(['low', 'low', 'low', 'critical']);
  queue.end('critical');
  queue.fill();
  expect(queue.running).toEqual(['low', 'low', 'low', 'critical']);
});

test('criticals may have every place', () => {
  const queue = new Queue(2);
  queue.add('critical', 5);
  queue.fill();
  expect(queue.running).toEqual(['critical', 'critical', 'critical']);
});

test('under a load of criticals that never ends, every twentieth place goes to what has waited longest', () => {
  const queue = new Queue(1);
  queue.add('low', 5);
  for (let n = 0; n < 120; n++) {
    queue.add('critical', 2);
    queue.fill();
    queue.end(queue.running[0]!);
  }
  const places = queue.started.flatMap(({ priority }, place) => (priority === 'low' ? [place] : []));
  expect(places).toEqual([19, 39, 59, 79, 99]);
});

test('the turn of the oldest passes when there is none, and the next is claimed by priority', () => {
  const queue = new Queue(1);
  for (let n = 0; n < 19; n++) {
    queue.add('normal');
    queue.fill();
    queue.end('normal');
  }
  queue.fill();
  queue.add('low');
  queue.add('high');
  queue.fill();
  expect(queue.running).toEqual(['high']);
});
