import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Principal } from '@soleil/bus';
import { AuthError } from './auth-error.js';
import { AuthService } from './auth.service.js';
import { presentedToken, type TokenRequest } from './presented-token.js';

type GuardedRequest = TokenRequest & { principal?: Principal };

/**
 * Lets REST requests pass whose token is good, and notes whose it is for {@link CurrentPrincipal}. A module that uses it
 * imports AuthModule.
 * @throws AuthError those of `AuthService.verify`, and `cross_site_refused`
 */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(private readonly auth: AuthService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    request.principal = await this.auth.verify(presentedToken(request));
    return true;
  }
}

/** The handler's parameter that says who is calling. @throws AuthError `guard_missing` */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<GuardedRequest>();
  if (!principal) throw AuthError.guardMissing();
  return principal;
});
