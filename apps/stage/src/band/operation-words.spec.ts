import { operationWords, type Operation } from './operation-words.js';

const now = Date.parse('2026-11-23T20:00:00Z');
const operation: Operation = {
  id: '1',
  kind: 'file',
  status: 'completed',
  bandId: 'b1',
  fileId: 'f1',
  mode: null,
  attempts: 1,
  runAt: '2026-11-23T20:00:20Z',
  errorMessage: null,
  createdAt: '2026-11-23T19:59:00Z',
  startedAt: '2026-11-23T19:59:00.000Z',
  finishedAt: '2026-11-23T19:59:00.420Z',
};
const words = (change: Partial<Operation>) =>
  operationWords({ ...operation, ...change }, (fileId) => (fileId === 'f1' ? 'Amazing Grace_Bb.pdf' : null), now);

describe('the words for an operation', () => {
  it('name its file and how long it took', () => {
    expect(words({})).toEqual({ title: 'Amazing Grace_Bb.pdf', state: 'Done in 420 ms', tone: 'good', problem: null });
    expect(words({ fileId: 'gone' }).title).toBe('A file no longer in the library');
  });

  it('say when a failed one is tried again, and why it failed', () => {
    const failed = words({ status: 'failed', attempts: 2, errorMessage: 'The drive is busy.' });
    expect(failed).toMatchObject({ state: 'Attempt 2 failed, again in 20 s', tone: 'warn', problem: 'The drive is busy.' });
  });

  it('say that it was given up', () => {
    expect(words({ status: 'dead', attempts: 3 })).toMatchObject({ state: 'Gave up after 3 attempts', tone: 'bad' });
  });

  it('tell a look from a full sync', () => {
    expect(words({ kind: 'band', mode: 'delta' }).title).toBe('Look for changes');
    expect(words({ kind: 'band', mode: 'full' }).title).toBe('Full sync');
  });
});
