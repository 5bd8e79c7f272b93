import { gaxios } from 'google-auth-library';
import { failureOf } from './google-failure.js';

/** As Google's client throws it. */
async function thrown(status: number, data: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  const config = { url: new URL('https://www.googleapis.com/'), headers: new Headers() } as gaxios.GaxiosOptionsPrepared;
  const response = Object.assign(new Response('', { status, headers }), { config, data });
  await response.text();
  return new gaxios.GaxiosError('failed', config, response);
}

const because = (reason: string): object => ({ error: { errors: [{ reason }], code: 403, message: 'x' } });

it.each([
  [500, 'nonsense', 'drive_unreachable', true],
  [503, '<html>', 'drive_unreachable', true],
  [429, because('rateLimitExceeded'), 'drive_busy', true],
  [403, because('rateLimitExceeded'), 'drive_busy', true],
  [403, because('userRateLimitExceeded'), 'drive_busy', true],
  [403, because('dailyLimitExceeded'), 'access_denied', false],
  [403, because('accessNotConfigured'), 'access_denied', false],
  [403, { error: { status: 'PERMISSION_DENIED' } }, 'access_denied', false],
  [401, because('authError'), 'credential_revoked', true],
  [401, because('push.webhookUrlUnauthorized'), 'access_denied', false],
  [400, { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' }, 'credential_revoked', true],
  [401, { error: 'invalid_client' }, 'credential_revoked', true],
  [404, because('notFound'), 'revision_gone', true],
  [416, because('requestedRangeNotSatisfiable'), 'revision_gone', true],
  // Downloads are not parsed.
  [403, JSON.stringify(because('cannotDownloadFile')), 'access_denied', false],
])('takes %i %j for %s', async (status, data, code, retryable) => {
  expect(failureOf(await thrown(status, data)).error).toMatchObject({ code, retryable });
});

it('takes a connection that could not be made for Google being out of reach', () => {
  const config = { url: new URL('https://www.googleapis.com/'), headers: new Headers() } as gaxios.GaxiosOptionsPrepared;
  const failure = failureOf(new gaxios.GaxiosError('fetch failed', config));
  expect(failure).toMatchObject({ status: 0, error: { code: 'drive_unreachable' } });
});

it('hears when Google wants to be asked again, in seconds or by a date', async () => {
  const afterMs = async (value: string): Promise<number | undefined> =>
    failureOf(await thrown(503, '', { 'retry-after': value })).error.retryAfterMs;
  expect(await afterMs('7')).toBe(7_000);
  expect(await afterMs(new Date(Date.now() + 60_000).toUTCString())).toBeGreaterThan(50_000);
  expect(await afterMs(new Date(0).toUTCString())).toBe(0);
  expect(await afterMs('0')).toBe(0);
  for (const nonsense of ['soon', '', '-', 'NaN']) expect(await afterMs(nonsense)).toBeUndefined();
  // No timer lasts that long: it would end at once.
  for (const year of ['31536000', '9'.repeat(400), new Date(Date.now() + 31_536_000_000).toUTCString()])
    expect(await afterMs(year)).toBe(3_600_000);
});

it('leaves what is no failure of a request as it is', () => {
  expect(() => failureOf(new TypeError('ours'))).toThrow('ours');
});
