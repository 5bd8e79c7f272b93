import type { EntityManager } from 'typeorm';
import { Cable } from '../../../../test/support/cable.js';
import { LogRig, type LogNode } from '../../test/log-rig.js';
import type { OutboxMessage } from './outbox-message.js';

let rig: LogRig;
let node: LogNode;

beforeAll(async () => {
  rig = await LogRig.make();
  node = await rig.node();
});
afterEach(() => node.database.query('truncate sync_outbox, sync_idempotency'));
afterAll(() => rig.remove());

const note = (n: number, idempotencyKey?: string): OutboxMessage => ({
  channel: 'band:b1',
  type: 'note',
  data: { n },
  ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
});
const publish = async (message: OutboxMessage, transaction?: EntityManager): Promise<string> =>
  (await node.publisher.publish([message], transaction))[0]!;
/** What waits in the outbox, in order. */
const waiting = async (): Promise<number[]> =>
  (await node.database.query<{ n: number }[]>(`select (data->>'n')::int as n from sync_outbox order by id`)).map(
    ({ n }) => n,
  );
const keys = async (): Promise<string[]> =>
  (await node.database.query<{ key: string }[]>(`select key from sync_idempotency order by key`)).map(({ key }) => key);

/** A transaction that another connection holds open until it is told how to end. */
async function openTransaction(): Promise<EntityManager & { commit(): Promise<void>; rollback(): Promise<void> }> {
  const runner = node.database.createQueryRunner();
  await runner.startTransaction();
  return Object.assign(runner.manager, {
    commit: () => runner.commitTransaction().finally(() => runner.release()),
    rollback: () => runner.rollbackTransaction().finally(() => runner.release()),
  });
}

/** Resolves when that many backends wait for somebody else's lock. */
async function blocked(many: number): Promise<void> {
  const count = `select count(*)::int as many from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  while ((await node.database.query<{ many: number }[]>(count))[0]!.many < many);
}

describe('in a transaction of the publisher', () => {
  it('a message exists exactly if that commits', async () => {
    await node.database.transaction((transaction) => publish(note(1), transaction));
    const failed = node.database.transaction(async (transaction) => {
      await publish(note(2), transaction);
      throw new Error('the business failed');
    });
    await expect(failed).rejects.toThrow('the business failed');
    expect(await waiting()).toEqual([1]);
  });

  it('the second publish under a key returns the id of the first and stores nothing, whatever the order of properties', async () => {
    const first = await publish({ ...note(1, 'k'), data: { n: 1, tempo: 120 } });
    const second = await node.database.transaction((transaction) =>
      publish({ ...note(1, 'k'), data: { tempo: 120, n: 1 } }, transaction),
    );
    expect(second).toBe(first);
    expect(await publish({ ...note(1, 'k'), channel: 'band:b2' })).not.toBe(first);
    expect(await waiting()).toEqual([1, 1]);
  });

  it.each([
    ['data', { data: { n: 2 } }],
    ['type', { type: 'other' }],
    ['entity', { key: 'song:1' }],
  ])('the same key with another %s is a conflict, and the transaction goes on', async (_, other) => {
    await publish(note(1, 'k'));
    await node.database.transaction(async (transaction) => {
      await publish(note(10), transaction);
      await expect(
        node.publisher.publish([note(11), note(12, 'fresh'), { ...note(1, 'k'), ...other }], transaction),
      ).rejects.toMatchObject({ code: 'idempotency_conflict', retryable: false });
      await publish(note(13, 'fresh'), transaction);
    });
    expect(await waiting()).toEqual([1, 10, 13]);
  });

  it('twice in one call is once', async () => {
    const [a, b, c] = await node.database.transaction((transaction) =>
      node.publisher.publish([note(1, 'k'), note(2), note(1, 'k')], transaction),
    );
    expect(c).toBe(a);
    expect(b).not.toBe(a);
    expect(await waiting()).toEqual([1, 2]);
    await expect(node.publisher.publish([note(3, 'l'), note(4, 'l')])).rejects.toMatchObject({
      code: 'idempotency_conflict',
    });
    expect(await waiting()).toEqual([1, 2]);
    expect(await keys()).toEqual(['k']);
  });

  it.each(['commit', 'rollback'] as const)(
    'a second one under a key waits for the first, which ends with %s',
    async (end) => {
      const first = await openTransaction();
      const id = await publish(note(1, 'k'), first);
      const second = await openTransaction();
      const repeated = publish(note(1, 'k'), second);
      await blocked(1);
      await first[end]();
      if (end === 'commit') expect(await repeated).toBe(id);
      else expect(await repeated).not.toBe(id);
      await second.commit();
      expect(await waiting()).toEqual([1]);
    },
  );

  it('calls with the same keys in opposite orders never wait for each other in a circle', async () => {
    const forth = Array.from({ length: 20 }, (_, n) => note(n, `k${n}`));
    const back = [...forth].reverse();
    const ids = await Promise.all(
      Array.from({ length: 16 }, (_, n) =>
        node.database.transaction((transaction) => node.publisher.publish(n % 2 === 0 ? forth : back, transaction)),
      ),
    );
    for (const [n, these] of ids.entries()) expect(n % 2 === 0 ? these : these.reverse()).toEqual(ids[0]);
    expect((await waiting()).length).toBe(20);
  });
});

describe('without a transaction', () => {
  it('publishes are stored in the order of the calls, many at once', async () => {
    await Promise.all(Array.from({ length: 1_200 }, (_, n) => publish(note(n))));
    expect(await waiting()).toEqual(Array.from({ length: 1_200 }, (_, n) => n));
    const [{ statements }] = await node.database.query<[{ statements: number }]>(
      `select count(distinct xmin::text)::int as statements from sync_outbox`,
    );
    expect(statements).toBeLessThanOrEqual(3);
  });

  it('each call of a group is stored or refused for itself', async () => {
    const known = await publish(note(0, 'known'));
    const calls = await Promise.allSettled([
      publish(note(1)),
      publish(note(2, 'known')),
      publish(note(0, 'known')),
      node.publisher.publish([note(3), note(4, 'known'), note(5, 'new')]),
      publish(note(6, 'new')),
      publish(note(6, 'new')),
    ]);
    const refused = { status: 'rejected', reason: expect.objectContaining({ code: 'idempotency_conflict' }) };
    expect(calls.slice(1, 4)).toEqual([refused, { status: 'fulfilled', value: known }, refused]);
    expect(calls[5]).toEqual(calls[4]);
    expect(await waiting()).toEqual([0, 1, 6]);
    expect(await keys()).toEqual(['known', 'new']);
  });

  it('what the database itself refuses harms nobody else in the group', async () => {
    await node.database.query(`alter table sync_outbox add constraint no_seven check (data->>'n' <> '7')`);
    const calls = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => publish(note(n))));
    await node.database.query(`alter table sync_outbox drop constraint no_seven`);
    expect(calls.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))).toEqual([7]);
    expect(await waiting()).toEqual(Array.from({ length: 20 }, (_, n) => n).filter((n) => n !== 7));
  });

  it('a call that waits for a key which an open transaction holds does not hold up the others', async () => {
    const holder = await openTransaction();
    const id = await publish(note(1, 'k'), holder);
    const repeated = publish(note(1, 'k'));
    const others = Promise.all([
      publish(note(2)),
      node.publisher.publish([note(3, 'a'), note(4, 'b')]),
      publish(note(5, 'c')),
    ]);
    await others;
    expect(await waiting()).toEqual([2, 3, 4, 5]);
    await holder.commit();
    expect(await repeated).toBe(id);
  });

  it('many calls that wait for one key leave the others connections to work with', async () => {
    const holder = await openTransaction();
    const id = await publish(note(1, 'k'), holder);
    const repeated = Promise.allSettled(Array.from({ length: 12 }, () => publish(note(1, 'k'))));
    await publish(note(2));
    await blocked(4);
    await holder.commit();
    const answers = await repeated;
    expect(answers.filter(({ status }) => status === 'fulfilled')).toEqual(
      Array.from({ length: 4 }, () => ({ status: 'fulfilled', value: id })),
    );
    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'publish_overloaded', retryable: true });
  });

  it('beyond the limit publishing is refused at once, and goes on when there is room', async () => {
    const small = await rig.node({ publishQueueMessages: 3 });
    const lock = await openTransaction();
    await lock.query('lock table sync_outbox in share mode');
    const admitted = [1, 2, 3].map((n) => small.publisher.publish([note(n)]));
    await expect(small.publisher.publish([note(4)])).rejects.toMatchObject({
      code: 'publish_overloaded',
      retryable: true,
      details: { messages: 3 },
    });
    await lock.commit();
    await Promise.all(admitted);
    await small.publisher.publish([5, 6, 7, 8].map((n) => note(n)));
    expect(await waiting()).toEqual([1, 2, 3, 5, 6, 7, 8]);
  });

  it('beyond the limit of bytes as well', async () => {
    const small = await rig.node({ publishQueueBytes: 1_000 });
    const large = { ...note(1), data: { n: 1, text: 'x'.repeat(900) } };
    const first = small.publisher.publish([large]);
    await expect(small.publisher.publish([large])).rejects.toMatchObject({ code: 'publish_overloaded' });
    await first;
  });
});

describe('with Postgres away', () => {
  let cable: Cable;
  beforeEach(async () => {
    cable = await Cable.plug(() => rig.testDatabase.url);
  });
  afterEach(() => cable.remove());
  const throughCable = (options = {}): Promise<LogNode> => rig.node(options, rig.through(cable));
  const unavailable = { code: 'database_unavailable', retryable: true };

  it('publishers are told so, with and without a transaction, and succeed when it is back', async () => {
    const far = await throughCable();
    const runner = far.database.createQueryRunner();
    await runner.startTransaction();
    cable.pull();
    await expect(far.publisher.publish([note(1)], runner.manager)).rejects.toMatchObject(unavailable);
    await expect(far.publisher.publish([note(2)])).rejects.toMatchObject(unavailable);
    await runner.release();
    cable.plugIn();
    await far.publisher.publish([note(3)]);
    expect(await waiting()).toEqual([3]);
  });

  it('publishers do not wait longer than the limit for an answer, nor do those behind them', async () => {
    const far = await throughCable({ publishTimeoutMs: 1_000 });
    const lock = await openTransaction();
    await lock.query('lock table sync_outbox in share mode');
    const calls = [far.publisher.publish([note(1)])];
    await Promise.resolve();
    calls.push(far.publisher.publish([note(2)]));
    const refused = { status: 'rejected', reason: expect.objectContaining(unavailable) };
    expect(await Promise.allSettled(calls)).toEqual([refused, refused]);
    await lock.commit();
    await far.publisher.publish([note(3)]);
    expect(await waiting()).toContain(3);
  });
});
