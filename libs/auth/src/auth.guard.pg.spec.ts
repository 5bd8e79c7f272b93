import {
  Catch,
  Controller,
  Get,
  Post,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { CodedError, type Principal } from '@soleil/bus';
import type { TestDatabase } from '../../../test/support/database.js';
import { authDatabase, startPlatform, type Platform } from '../test/platform.js';
import { AuthGuard, CurrentPrincipal } from './auth.guard.js';
import type { SignedIn } from './auth.service.js';
import { sessionCookie } from './session-cookie.js';

/** As the platform does it. */
@Catch(CodedError)
class CodedErrorFilter implements ExceptionFilter<CodedError> {
  catch({ code, status }: CodedError, host: ArgumentsHost): void {
    host.switchToHttp().getResponse().status(status).json({ code });
  }
}

@Controller()
@UseFilters(CodedErrorFilter)
class Greetings {
  @Get('me')
  @UseGuards(AuthGuard)
  me(@CurrentPrincipal() principal: Principal): Principal {
    return principal;
  }

  @Post('songs')
  @UseGuards(AuthGuard)
  addSong(@CurrentPrincipal() { userId }: Principal): { by: string } {
    return { by: userId };
  }

  @Get('unguarded')
  unguarded(@CurrentPrincipal() principal: Principal): Principal {
    return principal;
  }
}

let database: TestDatabase;
let platform: Platform;
let ella: SignedIn;
let cookie: string;
let origin: string;
beforeAll(async () => {
  database = await authDatabase();
  platform = await startPlatform(database.url, {}, [Greetings]);
  await platform.app.listen(0, '127.0.0.1');
  origin = await platform.app.getUrl();
  await platform.auth.createUser({ login: 'ella', name: 'Ella Brass', password: 'blue in green' });
  ella = await platform.auth.signIn({ login: 'ella', password: 'blue in green' });
  cookie = sessionCookie(ella.token, ella.expiresAt, { secure: false }).split(';')[0]!;
});
afterAll(async () => {
  await platform.app.close();
  await database.drop();
});

async function call(
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${origin}${path}`, { method, headers });
  return { status: response.status, body: await response.json() };
}

it('tells a handler who presents a bearer token', async () => {
  const { body } = await call('GET', '/me', { authorization: `Bearer ${ella.token}` });
  expect(body).toEqual({
    userId: ella.user.userId,
    sessionId: ella.sessionId,
    displayName: 'Ella Brass',
    expiresAt: ella.expiresAt,
  });
});

it('tells a handler who presents the cookie, among others', async () => {
  const { body } = await call('GET', '/me', { cookie: `theme=dark; ${cookie}; flag` });
  expect(body).toMatchObject({ userId: ella.user.userId });
});

it('refuses a call without a token', async () => {
  for (const headers of [
    {},
    { authorization: 'Basic ZWxsYTpibHVl' },
    { authorization: 'Bearer ' },
    { cookie: 'soleil_session=' },
  ]) {
    await expect(call('GET', '/me', headers as Record<string, string>)).resolves.toEqual({
      status: 401,
      body: { code: 'token_missing' },
    });
  }
});

it('refuses a forged token, and does not fall back to the cookie', async () => {
  await expect(call('GET', '/me', { authorization: 'Bearer a.b.c', cookie })).resolves.toEqual({
    status: 401,
    body: { code: 'token_invalid' },
  });
});

it('refuses a change that only the cookie vouches for', async () => {
  const refused = { status: 403, body: { code: 'cross_site_refused' } };
  await expect(call('POST', '/songs', { cookie })).resolves.toEqual(refused);
});

it('accepts a change with the cookie and the client header', async () => {
  const accepted = { status: 201, body: { by: ella.user.userId } };
  await expect(call('POST', '/songs', { cookie, 'x-soleil-client': 'stage' })).resolves.toEqual(accepted);
});

it('accepts a change with a bearer token alone', async () => {
  const accepted = { status: 201, body: { by: ella.user.userId } };
  await expect(call('POST', '/songs', { authorization: `bearer ${ella.token}` })).resolves.toEqual(accepted);
});

it('stops accepting the token at once when its session ends', async () => {
  const tablet = await platform.auth.signIn({ login: 'ella', password: 'blue in green' });
  const headers = { authorization: `Bearer ${tablet.token}` };
  await expect(call('GET', '/me', headers)).resolves.toMatchObject({ status: 200 });
  await platform.auth.signOut(tablet.sessionId);
  await expect(call('GET', '/me', headers)).resolves.toEqual({ status: 401, body: { code: 'session_ended' } });
});

it('says so when a handler asks who is calling and has no guard', async () => {
  await expect(call('GET', '/unguarded', { cookie })).resolves.toEqual({ status: 500, body: { code: 'guard_missing' } });
});
