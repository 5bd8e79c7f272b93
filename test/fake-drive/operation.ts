/** The requests the fake understands. */
export type Operation =
  | 'files.get'
  | 'files.list'
  | 'files.download'
  | 'files.export'
  | 'revisions.list'
  | 'revisions.get'
  | 'revisions.download'
  | 'changes.getStartPageToken'
  | 'changes.list'
  | 'changes.watch'
  | 'channels.stop'
  | 'drives.get'
  | 'token';

/** What each costs. https://developers.google.com/workspace/drive/api/guides/limits; asking for a token is free. */
export const unitsOf: Record<Operation, number> = {
  'files.get': 5,
  'files.list': 100,
  'files.download': 200,
  'files.export': 200,
  'revisions.list': 100,
  'revisions.get': 5,
  'revisions.download': 200,
  'changes.getStartPageToken': 5,
  'changes.list': 100,
  'changes.watch': 5,
  'channels.stop': 5,
  'drives.get': 5,
  token: 0,
};

/** A path's parts behind `/drive/v3`; `:id` stands for anything. */
const routes: [method: string, path: string, operation: Operation, ofMedia?: Operation][] = [
  ['GET', 'files', 'files.list'],
  ['GET', 'files/:id', 'files.get', 'files.download'],
  ['GET', 'files/:id/export', 'files.export'],
  ['GET', 'files/:id/revisions', 'revisions.list'],
  ['GET', 'files/:id/revisions/:id', 'revisions.get', 'revisions.download'],
  ['GET', 'changes', 'changes.list'],
  ['GET', 'changes/startPageToken', 'changes.getStartPageToken'],
  ['POST', 'changes/watch', 'changes.watch'],
  ['POST', 'channels/stop', 'channels.stop'],
  ['GET', 'drives/:id', 'drives.get'],
];

/** The operation a request asks for and the ids in its path; undefined for any other request. */
export function operationOf(method: string, url: URL): { operation: Operation; ids: string[] } | undefined {
  if (method === 'POST' && url.pathname === '/token') return { operation: 'token', ids: [] };
  for (const [wanted, path, operation, ofMedia] of routes) {
    const found = new RegExp(`^/drive/v3/${path.replaceAll(':id', '([^/]+)')}$`).exec(url.pathname);
    if (!found || method !== wanted) continue;
    const isMedia = ofMedia !== undefined && url.searchParams.get('alt') === 'media';
    return { operation: isMedia ? ofMedia : operation, ids: found.slice(1).map(decodeURIComponent) };
  }
  return undefined;
}
