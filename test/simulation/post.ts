import type { Position } from '@soleil/sync-protocol';
import type { EntityManager } from 'typeorm';
import type { CommitWatch } from '../../libs/sync/src/log/commit-watch.js';
import type { Control } from '../../libs/sync/src/log/control-message.js';
import type { NodeLink, NodeNews } from '../../libs/sync/src/log/node-link.js';
import type { Random } from '../chaos/random.js';
import type { Party, Schedule } from './schedule.js';

/** How news travels between nodes: each may be lost, come twice, or overtake another. */
export class Post {
  private readonly boxes: Box[] = [];
  /** Of a hundred. */
  lostOf100 = 0;
  doubledOf100 = 0;

  constructor(
    private readonly schedule: Schedule,
    private readonly random: Random,
  ) {}

  box(owner: Party, commits: CommitWatch): Box {
    const box = new Box(owner, commits, (from, news) => this.send(from, news));
    this.boxes.push(box);
    return box;
  }

  /** @param from is not told; null: everybody is */
  private send(from: Party | null, news: NodeNews): void {
    const text = JSON.stringify(news);
    for (const box of this.boxes) {
      if (box.owner === from || box.owner.isGone) continue;
      const copies = this.random.chance(this.lostOf100 / 100) ? 0 : this.random.chance(this.doubledOf100 / 100) ? 2 : 1;
      for (let copy = 0; copy < copies; copy++)
        this.schedule.addLoose(box.owner, `news ${text}`, () => box.receive(JSON.parse(text) as NodeNews));
    }
  }
}

/** One node's: of NodeLink what the code around it uses. */
class Box implements Pick<
  NodeLink,
  'onNews' | 'onReconnected' | 'tell' | 'tellHeads' | 'tellControl' | 'keepInOrder' | 'reconnect'
> {
  private readonly listeners: ((news: NodeNews) => void)[] = [];

  constructor(
    readonly owner: Party,
    private readonly commits: CommitWatch,
    private readonly send: (from: Party | null, news: NodeNews) => void,
  ) {}

  onNews(listener: (news: NodeNews) => void): void {
    this.listeners.push(listener);
  }

  onReconnected(): void {}

  tell(news: NodeNews): void {
    this.send(this.owner, news);
  }

  async tellControl(control: Control, transaction: EntityManager): Promise<void> {
    this.commits.after(transaction, () => this.send(null, { kind: 'control', control }));
  }

  tellHeads(heads: Iterable<[string, Position]>): void {
    this.tell({ kind: 'heads', heads: Object.fromEntries(heads) });
  }

  keepInOrder(): void {}

  reconnect(): void {}

  receive(news: NodeNews): void {
    for (const listener of this.listeners) listener(news);
  }
}
