import { presentedToken } from './presented-token.js';

const cookie = 'soleil_session=t.o.k';

it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'post'])('refuses %s with the cookie alone', (method) => {
  expect(() => presentedToken({ method, headers: { cookie } })).toThrow(
    expect.objectContaining({ code: 'cross_site_refused', status: 403 }),
  );
});

it.each(['cross-site', 'same-site', 'none'])('refuses a change that the browser calls %s', (site) => {
  expect(() => presentedToken({ method: 'POST', headers: { cookie, 'sec-fetch-site': site } })).toThrow(
    expect.objectContaining({ code: 'cross_site_refused' }),
  );
});

it('believes the browser that a change comes from our own page', () => {
  expect(presentedToken({ method: 'DELETE', headers: { cookie, 'sec-fetch-site': 'same-origin' } })).toBe('t.o.k');
});

it('takes any value of the client header', () => {
  expect(presentedToken({ method: 'PUT', headers: { cookie, 'x-soleil-client': '' } })).toBe('t.o.k');
});

it.each(['GET', 'HEAD', 'OPTIONS'])('asks for nothing besides the cookie where %s changes nothing', (method) => {
  expect(presentedToken({ method, headers: { cookie, 'sec-fetch-site': 'cross-site' } })).toBe('t.o.k');
});

it('prefers the bearer token to the cookie', () => {
  expect(presentedToken({ method: 'POST', headers: { cookie, authorization: 'Bearer b.e.a' } })).toBe('b.e.a');
});

it('lets a change without any token pass, for the sign-in check to refuse', () => {
  expect(presentedToken({ method: 'POST', headers: {} })).toBe('');
});
