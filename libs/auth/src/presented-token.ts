import type { IncomingHttpHeaders } from 'node:http';
import { AuthError } from './auth-error.js';
import { tokenInCookies } from './session-cookie.js';

/** What is needed of a request, Express's or another. */
export interface TokenRequest {
  method: string;
  headers: IncomingHttpHeaders;
}

const readingMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * The token of `Authorization: Bearer`, else of the session cookie; empty where there is neither.
 *
 * A browser sends a cookie whoever caused the request. So one that may change something needs a second witness that it
 * comes from a page of ours: a header that other sites' pages cannot set, or the browser's own word.
 * @throws AuthError `cross_site_refused` for such a request with the cookie alone
 */
export function presentedToken({ method, headers }: TokenRequest): string {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization?.trim() ?? '')?.[1];
  if (bearer) return bearer;
  const token = tokenInCookies(headers.cookie) ?? '';
  const isVouchedFor = headers['x-soleil-client'] !== undefined || headers['sec-fetch-site'] === 'same-origin';
  if (token && !readingMethods.has(method.toUpperCase()) && !isVouchedFor) throw AuthError.crossSiteRefused();
  return token;
}
