import { Body, Controller, Get, HttpCode, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AuthGuard, AuthService, clearedSessionCookie, CurrentPrincipal, presentedToken, sessionCookie } from '@soleil/auth';
import type { Principal } from '@soleil/bus';
import { SyncError } from '@soleil/sync-protocol';
import type { Request, Response } from 'express';
import { z } from 'zod';

const credentials = z.strictObject({ login: z.string().min(1).max(200), password: z.string().min(1).max(1000) });

/** Signing in and out, and who one is. */
@ApiTags('session')
@Controller('auth')
export class SessionController {
  constructor(private readonly auth: AuthService) {}

  @Post('sign-in')
  @HttpCode(200)
  @ApiOperation({ summary: 'Starts a session: its token, and the same as an HttpOnly cookie' })
  @ApiBody({ schema: z.toJSONSchema(credentials) as never })
  async signIn(
    @Body() body: unknown,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<unknown> {
    const parsed = credentials.safeParse(body);
    if (!parsed.success) throw new SyncError('request_invalid', 'Send login and password.', { issues: parsed.error.issues });
    const { token, expiresAt, user } = await this.auth.signIn({ ...parsed.data, userAgent: request.headers['user-agent'] });
    response.setHeader('Set-Cookie', sessionCookie(token, expiresAt, { secure: request.secure }));
    return { token, expiresAt, user };
  }

  @Post('sign-out')
  @HttpCode(204)
  @UseGuards(AuthGuard)
  @ApiOperation({ summary: 'Ends the session and closes its sockets' })
  async signOut(
    @CurrentPrincipal() { sessionId }: Principal,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    await this.auth.signOut(sessionId);
    response.setHeader('Set-Cookie', clearedSessionCookie());
  }

  @Get('me')
  @UseGuards(AuthGuard)
  @ApiOperation({ summary: 'The user of this session, their bands, and the token, with which a reloaded page connects' })
  async me(@CurrentPrincipal() { userId, displayName, expiresAt }: Principal, @Req() request: Request): Promise<unknown> {
    return {
      user: { userId, name: displayName },
      token: presentedToken(request),
      expiresAt,
      bands: await this.auth.bands(userId),
    };
  }
}
