export { AuthError } from './auth-error.js';
export { AuthGuard, CurrentPrincipal } from './auth.guard.js';
export { authEntities, AuthModule } from './auth.module.js';
export { authDefaults, type AuthOptions } from './auth-options.js';
export { AuthService, type Credentials, type SignedIn } from './auth.service.js';
export { authMigrations } from './migrations/index.js';
export { presentedToken, type TokenRequest } from './presented-token.js';
export type { Band, BandOfUser, NewBand, NewUser, Part, User } from './roster.js';
export { clearedSessionCookie, sessionCookie, type CookieOptions } from './session-cookie.js';
