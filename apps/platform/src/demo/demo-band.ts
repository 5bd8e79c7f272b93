import { Inject, Injectable } from '@nestjs/common';
import { AuthService } from '@soleil/auth';
import { DriveService } from '@soleil/drive';
import type { PlatformConfig } from '../config.js';
import { PLATFORM_CONFIG } from '../tokens.js';
import { demoBand, demoMembers, demoPassword } from './demo-members.js';

/** A band to try everything with. */
@Injectable()
export class DemoBand {
  constructor(
    private readonly auth: AuthService,
    private readonly drive: DriveService,
    @Inject(PLATFORM_CONFIG) private readonly config: PlatformConfig,
  ) {}

  /** Each step is skipped where it was done before, so a start that was broken off is completed by the next. */
  async load(): Promise<{ bandId: string }> {
    const bandId = (await this.auth.bandBySlug(demoBand.slug))?.bandId ?? (await this.auth.createBand(demoBand)).bandId;
    for (const { login, name, instrument, role } of demoMembers) {
      const known = await this.auth.userByLogin(login);
      const { userId } = known ?? (await this.auth.createUser({ login, name, password: demoPassword }));
      if (!known || (await this.auth.memberships(userId)).length === 0)
        await this.auth.setMembership({ userId, bandId, instrument, role });
    }
    const { google, libraryDir } = this.config;
    if (google?.folder) await this.drive.connect({ bandId, provider: 'google', settings: google.folder });
    else await this.drive.connectFolder({ bandId, root: libraryDir });
    return { bandId };
  }
}
