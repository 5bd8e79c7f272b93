/** Where a song was opened from: an entry of a setlist, counted from 0 over all its sets. */
export interface SetlistPlace {
  setlistId: string;
  index: number;
}

/** Every page has an address, so that going back, reloading and sharing a link work. */
export type Route =
  | { page: 'library' }
  | { page: 'song'; songId: string; place: SetlistPlace | null }
  | { page: 'file'; fileId: string; place: SetlistPlace | null }
  | { page: 'setlist'; fileId: string }
  | { page: 'band' };

/** The page of an address's hash; the library for one that means nothing. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [page, id] = path.split('/').map(decoded);
  if (page === 'band') return { page };
  if (page === 'song' && id) return { page, songId: id, place: placeOf(query) };
  if (page === 'file' && id) return { page, fileId: id, place: placeOf(query) };
  if (page === 'setlist' && id) return { page, fileId: id };
  return { page: 'library' };
}

/** The hash of a page: what links point at. */
export function hrefOf(route: Route): string {
  switch (route.page) {
    case 'library':
      return '#/';
    case 'band':
      return '#/band';
    case 'song':
      return `#/song/${encodeURIComponent(route.songId)}${queryOf(route.place)}`;
    case 'file':
      return `#/file/${encodeURIComponent(route.fileId)}${queryOf(route.place)}`;
    case 'setlist':
      return `#/setlist/${encodeURIComponent(route.fileId)}`;
  }
}

function queryOf(place: SetlistPlace | null): string {
  return place === null ? '' : `?${new URLSearchParams({ in: place.setlistId, at: String(place.index) }).toString()}`;
}

function placeOf(query: string): SetlistPlace | null {
  const parameters = new URLSearchParams(query);
  const setlistId = parameters.get('in');
  const at = parameters.get('at') ?? '';
  return setlistId && /^\d{1,4}$/.test(at) ? { setlistId, index: Number(at) } : null;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
