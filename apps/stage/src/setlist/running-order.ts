import type { Setlist } from '../library/library.js';

/** One song of a setlist, in the order of playing. */
export interface Entry {
  /** Counted from 0 over all sets. */
  index: number;
  title: string;
  songId: string;
  note: string | null;
  /** Which of the sets it is in, from 0. */
  set: number;
  /** "Set 1"; "Set 2" by its place where it has no name, null where there is only one. */
  setName: string | null;
}

/** All entries, one after another. */
export function runningOrder(setlist: Setlist): Entry[] {
  const entries: Entry[] = [];
  setlist.sets.forEach((set, number) => {
    for (const entry of set.entries)
      entries.push({ ...entry, index: entries.length, set: number, setName: setName(setlist, number) });
  });
  return entries;
}

/** What a set is called. @param number from 0 */
export function setName({ sets }: Setlist, number: number): string | null {
  return sets[number]?.name ?? (sets.length > 1 ? `Set ${number + 1}` : null);
}

/**
 * Where a song stands in a setlist that may have changed since it was opened: at the index if it is still there, else at
 * its nearest place; null when it was taken out.
 */
export function placeInOrder(entries: readonly Entry[], songId: string, index: number): number | null {
  const places = entries.filter((entry) => entry.songId === songId).map((entry) => entry.index);
  return places.sort((a, b) => Math.abs(a - index) - Math.abs(b - index))[0] ?? null;
}
