import { hrefOf, parseRoute, type Route } from './route.js';

const routes: Route[] = [
  { page: 'library' },
  { page: 'band' },
  { page: 'song', songId: 'amazing-grace', place: null },
  { page: 'song', songId: 'à la claire/fontaine', place: { setlistId: 'f 1', index: 0 } },
  { page: 'file', fileId: 'a?b#c', place: { setlistId: 'f1', index: 12 } },
  { page: 'setlist', fileId: '7d3' },
];

describe('addresses of pages', () => {
  it.each(routes)('lead back to the page they were made for: $page', (route) => {
    expect(parseRoute(hrefOf(route))).toEqual(route);
  });

  it.each(['', '#', '#/', '#/nowhere', '#/song/', '#/song/%E0%A4%A'])(
    'lead to the library where they mean nothing: %p',
    (hash) => {
      expect(parseRoute(hash)).toEqual({ page: 'library' });
    },
  );

  it('open a song without its setlist where the place in it makes no sense', () => {
    expect(parseRoute('#/song/x?in=f1&at=-2')).toEqual({ page: 'song', songId: 'x', place: null });
  });
});
