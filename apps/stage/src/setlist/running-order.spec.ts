import type { Setlist } from '../library/library.js';
import { file } from '../../test/file.js';
import { placeInOrder, runningOrder } from './running-order.js';

const entry = (songId: string) => ({ title: songId, songId, note: null });
const setlist = (...sets: { name: string | null; entries: ReturnType<typeof entry>[] }[]): Setlist => ({
  file: file('s'),
  title: 'Gig',
  date: null,
  venue: null,
  note: null,
  songs: 0,
  sets,
});

describe('the running order of a setlist', () => {
  it('counts on from set to set', () => {
    const order = runningOrder(
      setlist({ name: 'Early', entries: [entry('a'), entry('b')] }, { name: null, entries: [entry('a')] }),
    );
    expect(order.map(({ index, songId, setName }) => [index, songId, setName])).toEqual([
      [0, 'a', 'Early'],
      [1, 'b', 'Early'],
      [2, 'a', 'Set 2'],
    ]);
  });

  it('gives a single set no name of its own', () => {
    expect(runningOrder(setlist({ name: null, entries: [entry('a')] }))[0]!.setName).toBeNull();
  });

  it('finds an open song again after the order has changed', () => {
    const order = runningOrder(setlist({ name: null, entries: ['x', 'a', 'b', 'a'].map(entry) }));
    expect(placeInOrder(order, 'a', 1)).toBe(1);
    expect(placeInOrder(order, 'a', 4)).toBe(3);
    expect(placeInOrder(order, 'gone', 0)).toBeNull();
  });
});
