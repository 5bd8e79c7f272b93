import type { Setlist } from '../library/library.js';
import { useLibrary } from '../library/use-library.js';
import type { SetlistPlace } from '../route.js';
import { placeInOrder, runningOrder, type Entry } from './running-order.js';

/** A song within the setlist that it was opened from. */
export interface SetlistContext {
  setlist: Setlist;
  order: readonly Entry[];
  entry: Entry;
}

/** Null where the song was opened otherwise, or the setlist or the song's place in it is gone. */
export function useSetlistPlace(songId: string, place: SetlistPlace | null): SetlistContext | null {
  const { setlists } = useLibrary();
  const setlist = place === null ? undefined : setlists.find(({ file }) => file.fileId === place.setlistId);
  if (place === null || setlist === undefined) return null;
  const order = runningOrder(setlist);
  const index = placeInOrder(order, songId, place.index);
  const entry = index === null ? undefined : order[index];
  return entry === undefined ? null : { setlist, order, entry };
}
