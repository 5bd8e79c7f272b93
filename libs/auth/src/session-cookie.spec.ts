import { clearedSessionCookie, sessionCookie, tokenInCookies } from './session-cookie.js';

it('keeps the token from scripts and from other sites, until it expires', () => {
  expect(sessionCookie('t.o.k', '2026-12-04T18:00:00.000Z', { secure: false })).toBe(
    'soleil_session=t.o.k; Path=/; HttpOnly; SameSite=Strict; Expires=Fri, 04 Dec 2026 18:00:00 GMT',
  );
});

it('goes over HTTPS only where asked to', () => {
  expect(sessionCookie('t.o.k', '2026-12-04T18:00:00.000Z', { secure: true })).toMatch(/; Secure$/);
});

it('is forgotten under the same name and path', () => {
  expect(clearedSessionCookie()).toBe('soleil_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0');
});

it.each([
  ['soleil_session=t.o.k', 't.o.k'],
  ['theme=dark;soleil_session=t.o.k;x', 't.o.k'],
  ['not_soleil_session=a; soleil_session=t.o.k', 't.o.k'],
  ['soleil_session=', undefined],
  ['theme=dark', undefined],
  [undefined, undefined],
])('is found in %j', (header, token) => {
  expect(tokenInCookies(header)).toBe(token);
});
