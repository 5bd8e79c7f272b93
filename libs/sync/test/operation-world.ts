import type { QueryRunner } from 'typeorm';
import type { SyncOperation } from '../src/entities/sync-operation.js';
import type { SyncItem } from '../src/entities/sync-item.js';
import { bandOperation, fileOperation } from '../src/engine/band-work.js';
import { Completions } from '../src/engine/completions.js';
import { FileSynchronizer } from '../src/engine/file-synchronizer.js';
import { OperationHistory } from '../src/engine/operation-history.js';
import { EventBroadcaster } from '../src/event-broadcaster.js';
import { BandSettings } from '../src/settings/band-settings.js';
import { presenceLocks } from '../src/log/node-link.js';
import type { NewOperation } from '../src/queue/intake.js';
import { LeaseLost, type Claim } from '../src/queue/leases.js';
import type { Failure } from '../src/queue/settlements.js';
import type { LogNode } from './log-rig.js';
import { QueueParts, type ProcessParts } from './queue-parts.js';

/** What can happen to the queue. Numbers choose among what there is at that moment. */
export type Step =
  | { does: 'tell'; file: number; priority: 'high' | 'low' }
  | { does: 'tell again'; nth: number }
  | { does: 'full sync' }
  /** The safety net comes upon the band. */
  | { does: 'look over' }
  /** Its leaders choose so, and have every file looked at again. */
  | { does: 'limit'; perMinute: 1 | 2 | null }
  | { does: 'claim'; engine: number; many: number }
  | { does: 'claim oldest'; engine: number }
  | { does: 'complete'; engine: number; many: number }
  | { does: 'add some items'; engine: number }
  | { does: 'fail'; engine: number; how: keyof typeof failures }
  | { does: 'renew'; engine: number }
  /** It stops, and puts back what it has in its hands. */
  | { does: 'release'; engine: number }
  | { does: 'reclaim'; engine: number }
  /** Its process dies. What it did comes to its end later, by hands nobody waits for any more. */
  | { does: 'crash'; engine: number }
  /** It stands still until its leases have run out, and does not know. */
  | { does: 'stall'; engine: number }
  | { does: 'end as a zombie'; nth: number; how: keyof typeof failures | 'complete' }
  | { does: 'cancel' | 'retry' | 'discard'; nth: number }
  | { does: 'prune' }
  /** Its drive asks the band to wait a little. */
  | { does: 'pause' };

const busy = { code: 'busy', message: 'Not just now.', remedy: 'Wait.', isFree: false };
export const failures = {
  'at once': { ...busy, retryInMs: 0 },
  'in an hour': { ...busy, retryInMs: 3_600_000 },
  'as it asked': { ...busy, retryInMs: 3_600_000, isFree: true },
  never: { ...busy, retryInMs: null },
} satisfies { [how: string]: Failure };

export const files = ['f0', 'f1', 'f2'];
export const engines = 3;
const bandId = 'b1';
const mostLosses = 3;
const every = ['critical', 'high', 'normal', 'low'] as const;

/** An operation in the hands of a worker, which has read the file. */
interface Held {
  claim: Claim;
  version: number;
}

interface Engine extends ProcessParts {
  number: number;
  /** The connection by which others see that it lives. */
  presence: QueryRunner;
  completions: Completions;
  held: Held[];
}

interface ToldEvent {
  eventId: string;
  file: string;
  version: number;
  /** The operation that took it on; null until that is known, and once it is forgotten. */
  takenOnBy: string | null;
}

type Row = Pick<
  SyncOperation,
  'id' | 'kind' | 'status' | 'fileId' | 'orderingKey' | 'itemsTotal' | 'itemsDone' | 'itemsFailed'
> & {
  isHeld: boolean;
};
type Item = Pick<SyncItem, 'operationId' | 'byOperation' | 'status'>;

let workers = 0;

/**
 * Files, those who tell of them, and engines without their loop, on a real queue: every step is one that the engine's parts take.
 * It knows what must follow, and says what does not.
 */
export class OperationWorld {
  private readonly settings: BandSettings;
  private readonly files: FileSynchronizer;
  private readonly queue: QueueParts;
  private readonly engines: Engine[];
  private readonly zombies: (Held & Pick<Engine, 'completions'>)[] = [];
  private readonly versions = new Map(files.map((file) => [file, 0]));
  private readonly events: ToldEvent[] = [];
  /** How often events were, or were about to be, forgotten. */
  private prunings = 0;
  /** Of each file, the versions that completed operations had read. */
  private readonly completed = new Map<string, number>();
  /** Operations in the order in which they were first seen, with the moment that was. */
  private readonly seen = new Map<string, { fileId: string | null; moment: number }>();
  /** As they were a moment ago. */
  private known = new Map<string, Row>();
  private readonly endedByHand = new Set<string>();
  private moment = 0;

  private constructor(private readonly node: LogNode) {
    // Only what publishes is used of these two.
    const broadcaster = new EventBroadcaster(node.publisher, null as never);
    this.settings = new BandSettings(node.database);
    this.files = new FileSynchronizer(null as never, broadcaster, node.database, this.settings);
    this.queue = new QueueParts(node.database);
    this.engines = Array.from({ length: engines }, () => ({}) as Engine);
  }

  static async begin(node: LogNode): Promise<OperationWorld> {
    await node.database.query(
      'truncate sync_operation, sync_item, sync_inbox, sync_file, sync_outbox, sync_band_pace, sync_band_setting',
    );
    const world = new OperationWorld(node);
    for (const engine of world.engines) await world.start(engine);
    return world;
  }

  async end(): Promise<void> {
    for (const { presence } of this.engines) await goAway(presence);
  }

  /** These at the same time. @throws Error saying what must not be */
  async take(steps: readonly Step[]): Promise<void> {
    this.moment += 1;
    await Promise.all(steps.map((step) => this.takeOne(step)));
    await this.check();
  }

  /** Time passes and nothing more goes wrong, until nothing is left to do. @throws Error saying what must not be */
  async settle(): Promise<void> {
    this.moment += 1;
    for (let round = 0; ; round++) {
      for (const engine of this.engines) await this.complete(engine, engine.held.splice(0));
      const { operations } = await this.look();
      const open = operations.filter(({ status }) => ['pending', 'running', 'failed'].includes(status));
      if (open.length === 0) break;
      if (round > 100) fail('stuck', open);
      await this.node.database.query(
        `update sync_operation set run_at = least(run_at, clock_timestamp()), lease_until = least(lease_until, clock_timestamp())`,
      );
      await this.node.database.query(
        `update sync_band_pace set paused_until = clock_timestamp(), minute_ends_at = '-infinity'`,
      );
      const [engine] = this.engines;
      await engine!.losses.reclaim(1_000, 1);
      engine!.held.push(...(await this.claimed(engine!.leases.claim(50, every))));
    }
    await this.check();
    await this.checkEffects();
  }

  private async takeOne(step: Step): Promise<void> {
    switch (step.does) {
      case 'tell':
        return this.tell(files[step.file]!, step.priority);
      case 'tell again':
        return this.tellAgain(step.nth);
      case 'full sync':
        return void (await this.queue.intake.enqueue([
          { ...bandOperation(bandId, 'full'), priority: 'high', cause: 'request' },
        ]));
      case 'look over':
        return this.lookOver();
      case 'limit':
        return this.limit(step.perMinute);
      case 'cancel':
      case 'retry':
      case 'discard':
        return this.byHand(step.does, step.nth);
      case 'prune':
        return this.prune();
      case 'pause':
        return this.queue.paces.pause(bandId, 5, { code: 'busy', message: 'Not just now.' });
      case 'end as a zombie':
        return this.endZombie(step.nth, step.how);
      default:
        return this.takeWith(this.engineFor(step), step);
    }
  }

  /** Of those that have work in their hands, where the step needs some. */
  private engineFor({ does, engine }: Extract<Step, { engine: number }>): Engine {
    const busy = this.engines.filter(({ held }) => held.length > 0);
    const from = ['claim', 'claim oldest', 'reclaim'].includes(does) || busy.length === 0 ? this.engines : busy;
    return from[engine % from.length]!;
  }

  private async takeWith(engine: Engine, step: Extract<Step, { engine: number }>): Promise<void> {
    const { leases, held } = engine;
    switch (step.does) {
      case 'claim':
        return void held.push(...(await this.claimed(leases.claim(step.many, every))));
      case 'claim oldest':
        return void held.push(...(await this.claimed(leases.claim(0, every, 1))));
      case 'complete':
        return this.complete(engine, held.splice(0, step.many));
      case 'add some items':
        return this.addSome(engine);
      case 'fail': {
        const [first] = held.splice(0, 1);
        return first && void (await this.queue.settlements.fail(first.claim, failures[step.how]));
      }
      case 'renew': {
        const lost = await leases.renew(held.map(({ claim }) => claim));
        engine.held = engine.held.filter(({ claim }) => !lost.has(claim.operation.id));
        return;
      }
      case 'release':
        return this.queue.settlements.release(held.splice(0).map(({ claim }) => claim));
      case 'reclaim':
        return void (await engine.losses.reclaim(mostLosses, 1));
      case 'crash':
        return this.crash(engine);
      case 'stall':
        await this.node.database.query(
          `update sync_operation set lease_until = clock_timestamp() where lease_token is not null and worker = $1`,
          [engine.number],
        );
    }
  }

  private async lookOver(): Promise<void> {
    const look = { ...bandOperation(bandId, 'delta'), priority: 'low', cause: 'interval' } as const;
    await this.queue.intake.enqueueLooks([look], { olderThanMs: 0, intervalMs: 0 });
  }

  private async limit(operationsPerMinute: number | null): Promise<void> {
    const full = { ...bandOperation(bandId, 'full'), priority: 'high', cause: 'settings' } as const;
    await this.settings.change(bandId, { operationsPerMinute }, (_, transaction) =>
      this.queue.intake.enqueue([full], transaction),
    );
  }

  private async start(engine: Engine): Promise<void> {
    const { database } = this.node;
    engine.number = ++workers;
    // The limit is never reached here unless its leaders choose a lower one, and counted all the same.
    const options = { leaseMs: 3_600_000, bandOperationsPerMinute: 1_000_000 };
    Object.assign(engine, this.queue.process(engine.number, options));
    engine.completions = new Completions(this.queue.database, this.queue.settlements, this.files);
    engine.held = [];
    engine.presence = database.createQueryRunner();
    await engine.presence.query('select pg_advisory_lock_shared($1, $2)', [presenceLocks, engine.number]);
  }

  private async crash(engine: Engine): Promise<void> {
    const { presence, held, completions } = engine;
    this.zombies.push(...held.map((one) => ({ ...one, completions })));
    await this.start(engine);
    await goAway(presence);
  }

  /** The file is as it is told before it is told. */
  private async tell(file: string, priority: 'high' | 'low'): Promise<void> {
    const version = this.versions.get(file)! + 1;
    this.versions.set(file, version);
    const event: ToldEvent = { eventId: `${file}@${version}`, file, version, takenOnBy: null };
    this.events.push(event);
    const { prunings } = this;
    const { id } = await this.enqueue(event, priority);
    // It may have been forgotten before the answer was here.
    if (prunings === this.prunings) event.takenOnBy = id;
  }

  private async tellAgain(nth: number): Promise<void> {
    const event = this.events[nth % this.events.length];
    const before = event?.takenOnBy;
    if (!event || !before) return;
    const { id, isNew } = await this.enqueue(event, 'low');
    if (event.takenOnBy === before && (isNew || id !== before)) fail('taken on twice', event);
  }

  private async enqueue({ eventId, file }: ToldEvent, priority: 'high' | 'low') {
    const wanted: NewOperation = { ...fileOperation(bandId, file), priority, cause: 'drive.file_changed', eventId };
    return (await this.queue.intake.enqueue([wanted]))[0]!;
  }

  /** Whoever claims reads at once: the longer ago, the more can have happened. */
  private async claimed(claims: Promise<Claim[]>): Promise<Held[]> {
    return (await claims).map((claim) => ({ claim, version: this.versions.get(claim.operation.fileId ?? '') ?? 0 }));
  }

  private async complete({ completions }: Pick<Engine, 'completions'>, held: readonly Held[]): Promise<void> {
    await Promise.all(
      held.map(({ claim, version }) =>
        unlessLost(async () => {
          const { fileId } = claim.operation;
          if (fileId === null) {
            await this.queue.items.add(
              claim,
              files.map((file) => itemOf(claim, file)),
            );
            return this.queue.items.spread(claim);
          }
          const wishable = { path: fileId, size: 0, hasNewerNamesake: false };
          const living = { channel: `band:${bandId}`, data: { path: fileId, version }, wishable };
          const effect = { kind: 'file', wanted: [{ fileId, bandId, revision: version, living }][0]! } as const;
          await completions.complete({ claim, effect, preparedMs: 1 });
          this.completed.set(fileId, Math.max(version, this.completed.get(fileId) ?? 0));
        }),
      ),
    );
  }

  private async addSome({ held }: Engine): Promise<void> {
    const band = held.find(({ claim }) => claim.operation.kind === 'band');
    if (band)
      await unlessLost(() =>
        this.queue.items.add(
          band.claim,
          files.slice(0, 2).map((file) => itemOf(band.claim, file)),
        ),
      );
  }

  private async endZombie(nth: number, how: keyof typeof failures | 'complete'): Promise<void> {
    if (this.zombies.length === 0) return;
    const [zombie] = this.zombies.splice(nth % this.zombies.length, 1);
    if (how === 'complete') await this.complete(zombie!, [zombie!]);
    else await this.queue.settlements.fail(zombie!.claim, failures[how]);
  }

  private async byHand(does: 'cancel' | 'retry' | 'discard', nth: number): Promise<void> {
    const from = [...this.known.values()].filter((row) => (does === 'cancel' ? !isFinished(row) : row.status === 'dead'));
    if (from.length === 0) return;
    const { id } = from[nth % from.length]!;
    const done = await (does === 'retry' ? this.queue.intake.retry(id) : this.queue.cancellations[does](id));
    if (done && does !== 'retry') this.endedByHand.add(id);
  }

  /** All that has finished is old. */
  private async prune(): Promise<void> {
    const forget = (): void => {
      this.prunings += 1;
      for (const event of this.events) event.takenOnBy = null;
    };
    forget();
    await new OperationHistory(this.queue.database, { operationDays: 0, retentionIntervalMs: 60_000 }).prune();
    forget();
  }

  private async look(): Promise<{ operations: Row[]; items: Item[] }> {
    const [operations, items] = await Promise.all([
      this.node.database.query<Row[]>(
        `select id, kind, status, file_id as "fileId", ordering_key as "orderingKey", lease_token is not null as "isHeld",
                items_total as "itemsTotal", items_done as "itemsDone", items_failed as "itemsFailed"
         from sync_operation order by created_at`,
      ),
      this.node.database.query<Item[]>(
        `select operation_id as "operationId", by_operation as "byOperation", status from sync_item`,
      ),
    ]);
    for (const { id, fileId } of operations) if (!this.seen.has(id)) this.seen.set(id, { fileId, moment: this.moment });
    return { operations, items };
  }

  private async check(): Promise<void> {
    const { operations, items } = await this.look();
    this.known = new Map(operations.map((operation) => [operation.id, operation]));
    for (const is of [isHeld, isWaiting]) {
      const keys = operations.filter(is).map(({ orderingKey }) => orderingKey);
      if (new Set(keys).size < keys.length) fail('two of one key', operations.filter(is));
    }
    for (const item of items)
      if (item.status === 'waiting' && isFinished(this.known.get(item.byOperation))) fail('an item nobody works on', item);
    for (const operation of operations)
      this.checkItems(
        operation,
        items.filter(({ operationId }) => operationId === operation.id),
      );
  }

  private checkItems(operation: Row, own: readonly Item[]): void {
    // Those of one that was cancelled were taken from it, uncounted.
    if (this.endedByHand.has(operation.id)) return;
    const ended = own.filter(({ status }) => status !== 'waiting');
    const unsuccessful = ended.filter(({ status }) => status !== 'completed');
    if (operation.itemsDone !== ended.length || operation.itemsFailed !== unsuccessful.length)
      fail('items miscounted', operation);
    const isSpread = operation.status === 'completed' || (operation.status === 'running' && !operation.isHeld);
    if (!isSpread) return;
    if (operation.itemsTotal !== own.length) fail('items miscounted', operation);
    if ((operation.status === 'completed') !== (ended.length === own.length))
      fail('completed too early or too late', operation);
  }

  private async checkEffects(): Promise<void> {
    const { operations } = await this.look();
    const isGivenUp = ({ id, status }: Row): boolean => status === 'dead' || this.endedByHand.has(id);
    const givenUp = new Set([...this.endedByHand, ...operations.filter(isGivenUp).map(({ id }) => id)]);
    const effects = await this.node.database.query<{ file: string; version: number }[]>(
      `select substr(key, 6) as file, (data->>'version')::int as version from sync_outbox order by id`,
    );
    for (const file of files) {
      const versions = effects.filter((effect) => effect.file === file).map(({ version }) => version);
      if (versions.some((version, nth) => nth > 0 && version <= versions[nth - 1]!)) fail('inversion', { file, versions });
      if ((versions.at(-1) ?? 0) !== (this.completed.get(file) ?? 0)) fail('effect lost', { file, versions });
      this.checkLast(file, versions.at(-1) ?? 0, givenUp);
    }
  }

  /** The last version is there, unless somebody gave up one of the operations that could have brought it. */
  private checkLast(file: string, version: number, givenUp: ReadonlySet<string>): void {
    const last = this.events.filter((event) => event.file === file).at(-1);
    if (!last || version >= last.version) return;
    const isExcuse = (id: string): boolean => {
      const { fileId, moment } = this.seen.get(id)!;
      return fileId === file && moment >= (this.seen.get(last.takenOnBy ?? '')?.moment ?? 0);
    };
    if (![...givenUp].some(isExcuse)) fail('last version lost', { last, version });
  }
}

const itemOf = ({ operation: { id } }: Claim, file: string): NewOperation & { fileId: string } => ({
  ...fileOperation(bandId, file),
  fileId: file,
  priority: 'low',
  cause: 'full_sync',
  parentId: id,
});

const isHeld = ({ isHeld }: Row): boolean => isHeld;
const isWaiting = ({ status }: Row): boolean => status === 'pending' || status === 'failed';
const isFinished = (operation: Row | undefined): boolean =>
  operation === undefined || ['completed', 'dead', 'cancelled'].includes(operation.status);

async function goAway(presence: QueryRunner): Promise<void> {
  await presence.query('select pg_advisory_unlock_all()');
  await presence.release();
}

async function unlessLost(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
  }
}

function fail(what: string, of: unknown): never {
  throw new Error(`${what}: ${JSON.stringify(of)}`);
}
