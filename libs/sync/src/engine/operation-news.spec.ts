import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { Bus } from '@soleil/bus';
import { OperationNews } from './operation-news.js';
import type { ProgressTeller } from './progress-teller.js';

const operation = { id: 'o1', kind: 'file', bandId: 'b1', fileId: 'f1' } as const;
const updated = { bandId: 'b1', fileId: 'f1', channel: 'band:b1', messageId: 'm1', at: '2026-01-01T00:00:00.000Z' };
const progress = { tell: () => undefined, changed: () => undefined } as unknown as ProgressTeller;

let emitter: EventEmitter2;
let news: OperationNews;
let warned: jest.SpiedFunction<Logger['warn']>;
const heard: string[] = [];
const on = (name: string, listener: (fact: { operationId: string }) => unknown): unknown => emitter.on(name, listener);

beforeEach(() => {
  jest.useFakeTimers();
  heard.length = 0;
  emitter = new EventEmitter2();
  news = new OperationNews(new Bus(emitter, { waitUntilReady: async () => undefined } as never), progress);
  warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
});
afterEach(() => {
  warned.mockRestore();
  jest.useRealTimers();
});

it('tells what is updated before that it is completed, when it is heard', async () => {
  let hear = (): void => undefined;
  const hearing = new Promise<void>((resolve) => (hear = resolve));
  on('sync.file_updated', () => hearing.then(() => heard.push('updated')));
  on('sync.completed', () => heard.push('completed'));
  news.completed(operation, updated, []);
  hear();
  await news.heard();
  expect(heard).toEqual(['updated', 'completed']);
  expect(jest.getTimerCount()).toBe(0);
});

it('tells that all items have ended after what became of the last of them', async () => {
  let hear = (): void => undefined;
  const hearing = new Promise<void>((resolve) => (hear = resolve));
  on('sync.file_updated', () => hearing);
  on('sync.completed', ({ operationId }) => heard.push(operationId));
  const whole = {
    id: 'whole',
    kind: 'band',
    bandId: 'b1',
    mode: 'full',
    status: 'completed',
    total: 1,
    done: 1,
    failed: 0,
  } as const;
  news.completed(operation, updated, [whole]);
  hear();
  await news.heard();
  expect(heard).toEqual(['o1', 'whole']);
});

it('waits a while for a listener that does not return, says so once, and waits for it again when it has returned', async () => {
  const returns: (() => void)[] = [];
  on('sync.file_updated', () => new Promise<void>((resolve) => returns.push(resolve)));
  on('sync.completed', ({ operationId }) => heard.push(operationId));
  news.completed(operation, updated, []);
  news.completed({ ...operation, id: 'o2' }, updated, []);
  const all = news.heard();
  await jest.advanceTimersByTimeAsync(4_999);
  expect(heard).toEqual([]);
  await jest.advanceTimersByTimeAsync(1);
  await all;
  news.completed({ ...operation, id: 'o3' }, updated, []);
  await news.heard();
  expect(heard).toEqual(['o1', 'o2', 'o3']);
  expect(warned.mock.calls).toEqual([[expect.stringContaining('A listener of sync.file_updated has not returned')]]);

  returns[0]!();
  await jest.advanceTimersByTimeAsync(0);
  news.completed({ ...operation, id: 'o4' }, updated, []);
  await jest.advanceTimersByTimeAsync(4_999);
  expect(heard).not.toContain('o4');
  await jest.advanceTimersByTimeAsync(1);
  expect(heard).toContain('o4');
  expect(warned).toHaveBeenCalledTimes(1);
});

it('goes on whatever a listener throws, be it no error', async () => {
  const nothing = undefined as unknown as Error;
  on('sync.started', () => Promise.reject(nothing));
  on('sync.failed', () => Promise.reject(new Error('Not again.')));
  await news.started(operation);
  news.failed(operation, { code: 'busy', message: 'Not just now.', willRetry: true }, []);
  await news.heard();
  expect(warned.mock.calls).toEqual([
    ['A listener of sync.started failed: undefined'],
    ['A listener of sync.failed failed: Not again.'],
  ]);
});
