/** Sent by browsers by themselves, so that a reloaded page and `<audio src>` are signed in without a script. */
const cookieName = 'soleil_session';

/** Out of reach of scripts, and of requests that other sites cause. */
const attributes = 'Path=/; HttpOnly; SameSite=Strict';

export interface CookieOptions {
  /** Whether the browser may send it over HTTPS only: true wherever the platform is reached by HTTPS. */
  secure: boolean;
}

/** The value of the `Set-Cookie` header that signs a browser in. @param expiresAt ISO 8601 */
export function sessionCookie(token: string, expiresAt: string, { secure }: CookieOptions): string {
  return `${cookieName}=${token}; ${attributes}; Expires=${new Date(expiresAt).toUTCString()}${secure ? '; Secure' : ''}`;
}

/** The value of the `Set-Cookie` header that makes a browser forget its sign-in. */
export function clearedSessionCookie(): string {
  return `${cookieName}=; ${attributes}; Max-Age=0`;
}

/** The token in a `Cookie` header. */
export function tokenInCookies(header: string | undefined): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const [name, value] = pair.split('=', 2);
    if (name?.trim() === cookieName && value) return value.trim();
  }
  return undefined;
}
