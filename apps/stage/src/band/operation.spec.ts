import { actionsOn, advanced, progressIn, type Operation, type Progress } from './operation.js';

const running = { status: 'running', itemsTotal: 400, itemsDone: 120, itemsFailed: 1 } as Operation;
const progress: Progress = { operationId: '1', mode: 'full', status: 'running', total: 400, done: 130, failed: 2 };

it('goes on from what was answered to what a signal told since', () => {
  expect(advanced(running, progress)).toMatchObject({ itemsTotal: 400, itemsDone: 130, itemsFailed: 2 });
  expect(advanced(running, undefined)).toBe(running);
});

it('does not go back to a signal from before the answer', () => {
  expect(advanced(running, { ...progress, done: 119 })).toBe(running);
  const completed: Operation = { ...running, status: 'completed', itemsDone: 400 };
  expect(advanced(completed, progress)).toBe(completed);
});

it('takes as progress only what is', () => {
  expect(progressIn(progress)).toEqual(progress);
  for (const other of [null, undefined, 'half', {}, { ...progress, total: '400' }, { ...progress, operationId: 1 }])
    expect(progressIn(other)).toBeNull();
});

it('lets a leader cancel what is open and decide about what is dead, and nothing else', () => {
  const on = (status: Operation['status']): string[] => actionsOn({ ...running, status });
  for (const status of ['pending', 'running', 'failed'] as const) expect(on(status)).toEqual(['cancel']);
  expect(on('dead')).toEqual(['retry', 'discard']);
  for (const status of ['completed', 'cancelled'] as const) expect(on(status)).toEqual([]);
});
