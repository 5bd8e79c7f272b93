import { createParamDecorator, Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Bus, type Principal } from '@soleil/bus';
import { SyncError } from '@soleil/sync-protocol';
import type { IncomingMessage } from 'node:http';
import { askAccess, type Access } from '../gateway/access.js';
import type { ResolvedSyncOptions } from '../options.js';
import { SYNC_OPTIONS } from '../tokens.js';

/** Who calls, and what they may follow. */
export interface Caller {
  principal: Principal;
  access: Access;
}

type Authenticated = IncomingMessage & { syncCaller?: Caller };

/** Lets in whoever Auth recognizes. Sync itself authenticates nobody. */
@Injectable()
export class CallerGuard implements CanActivate {
  constructor(
    private readonly bus: Bus,
    @Inject(SYNC_OPTIONS) private readonly options: ResolvedSyncOptions,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Authenticated>();
    const token = this.options.readToken({ method: request.method ?? 'GET', headers: request.headers });
    if (!token) throw new SyncError('token_missing', 'This call needs a signed-in user.');
    const principal = await this.bus.request('auth.token_presented', { token });
    request.syncCaller = { principal, access: await askAccess(this.bus, principal.userId) };
    return true;
  }
}

/** The caller that {@link CallerGuard} let in. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { syncCaller } = context.switchToHttp().getRequest<Authenticated>();
  if (!syncCaller) throw new Error('CurrentCaller is used on a route without CallerGuard');
  return syncCaller;
});
