import { jest } from '@jest/globals';
import type { Bus, Principal } from '@soleil/bus';
import type { Access } from './access.js';
import { Entitlement, type Entitled } from './entitlement.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A connection, and an Auth whose answers a test gives in any order. */
function world() {
  const questions: { answer: (bandId: string) => Promise<void>; fail: () => Promise<void> }[] = [];
  const bus = {
    request: (question: string) => {
      if (question === 'auth.token_presented') return Promise.resolve({});
      if (question === 'content.audiences_requested') return Promise.resolve({ audiences: [] });
      return new Promise((resolve, reject) => {
        const settle = async (end: () => void): Promise<void> => {
          end();
          await turn();
        };
        questions.push({
          answer: (bandId) => settle(() => resolve({ memberships: [{ bandId, instrument: 'flute', role: 'member' }] })),
          fail: () => settle(() => reject(new Error('away'))),
        });
      });
    },
  } as unknown as Bus;
  const owner = {
    token: 'token',
    principal: { userId: 'tina' } as Principal,
    isHeld: false,
    settled: Promise.resolve<void>(undefined),
    answers: [] as string[],
    refusals: [] as unknown[],
    hold: () => void (owner.isHeld = true),
    isSettled: (): Promise<void> => owner.settled,
    entitled: ({ memberships }: Access) => {
      owner.answers.push(memberships[0]!.bandId);
      owner.isHeld = false;
    },
    refused: (error: unknown) => void owner.refusals.push(error),
  } satisfies Entitled & Record<string, unknown>;
  return { questions, owner, entitlement: new Entitlement(bus, owner) };
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});
afterEach(() => {
  jest.useRealTimers();
});

test('several reasons in one turn share one question, which begins after them', async () => {
  const { questions, owner, entitlement } = world();
  const asked = [entitlement.renew(), entitlement.renew()];
  expect([owner.isHeld, questions.length]).toEqual([true, 0]);
  await turn();
  expect(questions).toHaveLength(1);
  await questions[0]!.answer('b1');
  await Promise.all(asked);
  expect([owner.isHeld, owner.answers, entitlement.pending]).toEqual([false, ['b1'], null]);
});

test('an answer to an earlier question counts for nothing, whether it comes before or after the latest', async () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const { questions, owner, entitlement } = world();
    const first = entitlement.renew();
    await turn();
    const second = entitlement.renew();
    await turn();
    for (const nth of order) await questions[nth]!.answer(`b${nth}`);
    await Promise.all([first, second]);
    expect(owner.answers).toEqual(['b1']);
  }
});

test('an earlier answer does not let go of who is held for a later reason', async () => {
  const { questions, owner, entitlement } = world();
  void entitlement.renew();
  await turn();
  void entitlement.renew();
  await questions[0]!.answer('b0');
  expect([owner.isHeld, owner.answers]).toEqual([true, []]);
});

test('an answer is taken on when what it tells of is settled, and not if there is another question by then', async () => {
  const { questions, owner, entitlement } = world();
  let settle = (): void => undefined;
  owner.settled = new Promise((resolve) => (settle = resolve));
  const first = entitlement.renew();
  await turn();
  await questions[0]!.answer('b0');
  expect([owner.isHeld, owner.answers]).toEqual([true, []]);
  const second = entitlement.renew();
  settle();
  await turn();
  await questions[1]!.answer('b1');
  await Promise.all([first, second]);
  expect([owner.isHeld, owner.answers]).toEqual([false, ['b1']]);
});

test('who could not be asked about stays held, and is asked about again a second later', async () => {
  const { questions, owner, entitlement } = world();
  const asked = entitlement.renew();
  await turn();
  const failure = expect(asked).rejects.toThrow('away');
  await questions[0]!.fail();
  await failure;
  entitlement.recheck(15_000);
  expect([questions.length, owner.isHeld, owner.refusals.length]).toEqual([1, true, 1]);
  // Whatever becomes of the clock meanwhile.
  jest.setSystemTime(0);
  jest.advanceTimersByTime(1_000);
  entitlement.recheck(15_000);
  await turn();
  await questions[1]!.answer('b1');
  expect([owner.isHeld, owner.answers]).toEqual([false, ['b1']]);
});

test('an answer that takes seconds is waited for, and not for ever', async () => {
  const { questions, owner, entitlement } = world();
  void entitlement.renew();
  await turn();
  for (let seconds = 0; seconds < 7; seconds++) {
    jest.advanceTimersByTime(1_000);
    entitlement.recheck(15_000);
  }
  await turn();
  expect(questions).toHaveLength(1);
  await questions[0]!.answer('b1');
  expect(owner.isHeld).toBe(false);
  const asked = expect(entitlement.renew()).rejects.toMatchObject({ code: 'database_unavailable' });
  await turn();
  jest.advanceTimersByTime(8_000);
  await asked;
  expect(owner).toMatchObject({ isHeld: true, refusals: [{ retryable: true }] });
  jest.advanceTimersByTime(1_000);
  entitlement.recheck(15_000);
  await turn();
  await questions[2]!.answer('b2');
  expect([owner.isHeld, owner.answers]).toEqual([false, ['b1', 'b2']]);
});
