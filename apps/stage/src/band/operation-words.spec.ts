import { checkingWords, itemWords, operationWords, pausedWords, type OperationWords } from './operation-words.js';
import type { Operation } from './operation.js';

const now = Date.parse('2026-11-23T20:00:00Z');
const operation: Operation = {
  id: '1',
  kind: 'file',
  status: 'completed',
  fileId: 'f1',
  mode: null,
  attempts: 1,
  losses: 0,
  runAt: '2026-11-23T20:00:20Z',
  createdAt: '2026-11-23T19:59:00Z',
  startedAt: '2026-11-23T19:59:00.000Z',
  finishedAt: '2026-11-23T19:59:00.420Z',
  errorCode: null,
  errorMessage: null,
  errorRemedy: null,
  itemsTotal: 0,
  itemsDone: 0,
  itemsFailed: 0,
};
const nameOf = (fileId: string): string | null => (fileId === 'f1' ? 'Amazing Grace_Bb.pdf' : null);
const words = (change: Partial<Operation>): OperationWords => operationWords({ ...operation, ...change }, nameOf, now);
const busy = {
  errorCode: 'drive_busy',
  errorMessage: 'The drive is busy.',
  errorRemedy: 'Try again when it is not.',
};

describe('the words for an operation', () => {
  it('name its file and how long it took', () => {
    expect(words({})).toEqual({
      title: 'Amazing Grace_Bb.pdf',
      state: 'Done in 420 ms',
      tone: 'good',
      problem: null,
      advice: null,
      progress: null,
    });
    expect(words({ fileId: 'gone' }).title).toBe('A file that is not in the library');
  });

  it('say when a failed one is tried again, and why it failed; there is nothing to do', () => {
    expect(words({ status: 'failed', attempts: 2, ...busy })).toMatchObject({
      state: 'Next try in 20 s',
      tone: 'warn',
      problem: 'The drive is busy.',
      advice: null,
    });
    expect(words({ status: 'failed', runAt: '2026-11-23T19:59:59Z' }).state).toBe('Next try now');
    expect(words({ status: 'failed', runAt: '2026-11-23T20:10:00Z' }).state).toBe('Next try in 10 min');
  });

  it('say of a dead one why, and what to do', () => {
    expect(words({ status: 'dead', attempts: 3, ...busy })).toMatchObject({
      state: 'Stopped after 3 attempts',
      tone: 'bad',
      problem: 'The drive is busy.',
      advice: 'Try again when it is not.',
    });
  });

  it('say of one that may be what ends servers how many it had, and not how many attempts', () => {
    expect(words({ status: 'dead', attempts: 0, losses: 10, errorCode: 'lost_too_often' }).state).toBe(
      'Stopped after 10 servers went away',
    );
  });

  it('tell a look from a full sync, and how far that has come', () => {
    expect(words({ kind: 'band', mode: 'delta', status: 'running' })).toMatchObject({
      title: 'Look for changes',
      state: 'Running',
      progress: null,
    });
    const full = { kind: 'band', mode: 'full', status: 'running' } as const;
    expect(words(full)).toMatchObject({ state: 'Looking through the folder', progress: { done: 0, total: null } });
    expect(words({ ...full, itemsTotal: 400, itemsDone: 120, itemsFailed: 3 })).toMatchObject({
      title: 'Full sync',
      state: '120 of 400',
      problem: '3 failed so far.',
      progress: { done: 120, total: 400 },
    });
  });

  it('do not call a full sync good where files failed', () => {
    const full = { kind: 'band', mode: 'full', itemsTotal: 400, itemsDone: 400 } as const;
    expect(words(full)).toMatchObject({ tone: 'good', problem: null, progress: null });
    expect(words({ ...full, itemsFailed: 3 })).toMatchObject({
      tone: 'warn',
      problem: '3 of 400 files could not be checked.',
    });
  });
});

it('a file of a full sync has words of its own, and its error', () => {
  const item = { fileId: 'f1', errorCode: 'file_unknown', errorMessage: 'No such file.' };
  expect(itemWords({ ...item, status: 'failed' }, nameOf)).toEqual({
    title: 'Amazing Grace_Bb.pdf',
    state: 'Failed',
    tone: 'bad',
    problem: 'No such file.',
  });
  expect(itemWords({ ...item, fileId: 'f2', status: 'waiting' }, nameOf)).toMatchObject({
    title: 'A file that is not in the library',
    problem: null,
  });
});

it('members read how far the check of their library is', () => {
  expect(checkingWords({ done: 120, total: 400 })).toBe('The library is being checked: 120 of 400');
  expect(checkingWords({ done: 3, total: 0 })).toBe('The library is being checked');
});

test('the words for a band that is paused say since when, until when and why', () => {
  const paused = { since: '2026-11-23T19:57:00Z', until: '2026-11-23T20:00:40Z', message: 'The quota is spent.' };
  expect(pausedWords(paused, now)).toBe('Paused 3 min ago, goes on in 40 s: The quota is spent.');
});
