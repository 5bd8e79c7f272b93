import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthAnswers } from './auth-answers.js';
import { AuthGuard } from './auth.guard.js';
import { AuthSettings, type AuthOptions } from './auth-options.js';
import { AuthService } from './auth.service.js';
import { AuthAttempts } from './entities/attempts.entity.js';
import { AuthBand } from './entities/band.entity.js';
import { AuthMembership } from './entities/membership.entity.js';
import { AuthSession } from './entities/session.entity.js';
import { AuthSigningKey } from './entities/signing-key.entity.js';
import { AuthUser } from './entities/user.entity.js';

export const authEntities = [AuthUser, AuthBand, AuthMembership, AuthSession, AuthSigningKey, AuthAttempts];

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<AuthOptions>({ moduleName: 'Auth' })
  .setClassMethodName('forRoot')
  .build();

/**
 * Who is who, and who plays what in which band. Needs the application's TypeORM DataSource (with `authEntities`, and
 * `authMigrations` run before modules are initialized) and the global BusModule.
 */
@Module({
  imports: [TypeOrmModule.forFeature(authEntities)],
  providers: [
    AuthService,
    AuthAnswers,
    AuthGuard,
    {
      provide: AuthSettings,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: AuthOptions) => AuthSettings.from(options),
    },
  ],
  exports: [AuthService, AuthGuard],
})
export class AuthModule extends ConfigurableModuleClass {}
