import { Injectable } from '@nestjs/common';
import { OnQuestion, type Answer, type Ask } from '@soleil/bus';
import { AuthService } from './auth.service.js';

/** Answers the bus's `auth.*` questions. */
@Injectable()
export class AuthAnswers {
  constructor(private readonly auth: AuthService) {}

  @OnQuestion('auth.token_presented')
  verify({ token }: Ask<'auth.token_presented'>): Promise<Answer<'auth.token_presented'>> {
    return this.auth.verify(token);
  }

  @OnQuestion('auth.memberships_requested')
  async memberships({ userId }: Ask<'auth.memberships_requested'>): Promise<Answer<'auth.memberships_requested'>> {
    return { memberships: await this.auth.memberships(userId) };
  }

  @OnQuestion('auth.members_requested')
  async members({ bandId }: Ask<'auth.members_requested'>): Promise<Answer<'auth.members_requested'>> {
    return { members: await this.auth.members(bandId) };
  }
}
