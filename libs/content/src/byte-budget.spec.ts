import { ByteBudget } from './byte-budget.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Work of so many bytes, each of which a test ends. */
function works(budget: ByteBudget, sizes: number[]) {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = sizes.map((bytes, place) =>
    budget.run(bytes, () => {
      begun.push(place);
      return new Promise<void>((resolve) => (ends[place] = resolve));
    }),
  );
  return { begun, ends, all };
}

test('as many are held as fit, and the next in line waits for its turn, small or large', async () => {
  const { begun, ends, all } = works(new ByteBudget(100), [60, 40, 70, 10]);
  await turn();
  expect(begun).toEqual([0, 1]);
  ends[1]!();
  await turn();
  expect(begun).toEqual([0, 1]);
  ends[0]!();
  await turn();
  expect(begun).toEqual([0, 1, 2, 3]);
  ends[2]!();
  ends[3]!();
  await Promise.all(all);
});

test('a file larger than all goes alone', async () => {
  const { begun, ends } = works(new ByteBudget(100), [10, 500, 10]);
  await turn();
  expect(begun).toEqual([0]);
  ends[0]!();
  await turn();
  expect(begun).toEqual([0, 1]);
  ends[1]!();
  await turn();
  expect(begun).toEqual([0, 1, 2]);
});

test('work that fails gives its bytes back', async () => {
  const budget = new ByteBudget(100);
  await expect(budget.run(100, () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  expect(await budget.run(100, () => Promise.resolve('read'))).toBe('read');
});
