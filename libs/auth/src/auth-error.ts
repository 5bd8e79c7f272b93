import { CodedError } from '@soleil/bus';

const signInAgain = 'Sign in again.';

/** What Auth throws on purpose. */
export class AuthError extends CodedError {
  /** The same for an unknown login and a wrong password. */
  static credentialsWrong(): AuthError {
    return new AuthError({
      code: 'credentials_wrong',
      message: 'Login and password do not belong together.',
      remedy: 'Check both, and mind upper and lower case in the password.',
      status: 401,
    });
  }

  static tooManyAttempts(retryAfterMs: number): AuthError {
    return new AuthError({
      code: 'too_many_attempts',
      message: 'Too many attempts to sign in with this login have failed.',
      remedy: `Try again in ${Math.max(1, Math.ceil(retryAfterMs / 60_000))} min.`,
      status: 429,
      retryable: true,
      details: { retryAfterMs },
    });
  }

  static tokenMissing(): AuthError {
    return new AuthError({
      code: 'token_missing',
      message: 'This needs a sign-in.',
      remedy: 'Sign in, and send the token as "Authorization: Bearer" or in the session cookie.',
      status: 401,
    });
  }

  static tokenInvalid(cause?: unknown): AuthError {
    return new AuthError({
      code: 'token_invalid',
      message: 'The token was not issued here or was altered.',
      remedy: signInAgain,
      status: 401,
      cause,
    });
  }

  static tokenExpired(cause?: unknown): AuthError {
    return new AuthError({
      code: 'token_expired',
      message: 'The sign-in has expired.',
      remedy: signInAgain,
      status: 401,
      cause,
    });
  }

  static sessionEnded(): AuthError {
    return new AuthError({
      code: 'session_ended',
      message: 'This session was signed out.',
      remedy: signInAgain,
      status: 401,
    });
  }

  static crossSiteRefused(): AuthError {
    return new AuthError({
      code: 'cross_site_refused',
      message: 'A change that only a cookie vouches for may come from another site.',
      remedy: 'Send the header "x-soleil-client", or the token as "Authorization: Bearer".',
      status: 403,
    });
  }

  static guardMissing(): AuthError {
    return new AuthError({
      code: 'guard_missing',
      message: 'This handler asks who is calling, but nobody checked it.',
      remedy: 'Put @UseGuards(AuthGuard) on the handler or its controller.',
      status: 500,
    });
  }

  static userUnknown(): AuthError {
    return new AuthError({
      code: 'user_unknown',
      message: 'There is no such user.',
      remedy: 'Check the user id.',
      status: 404,
    });
  }

  static bandUnknown(): AuthError {
    return new AuthError({
      code: 'band_unknown',
      message: 'There is no such band.',
      remedy: 'Check the band id.',
      status: 404,
    });
  }

  static loginTaken(login: string): AuthError {
    return new AuthError({
      code: 'login_taken',
      message: `Somebody has the login "${login}".`,
      remedy: 'Choose another login.',
      status: 409,
      details: { login },
    });
  }

  static slugTaken(slug: string): AuthError {
    return new AuthError({
      code: 'slug_taken',
      message: `Another band has the slug "${slug}".`,
      remedy: 'Choose another slug.',
      status: 409,
      details: { slug },
    });
  }

  static passwordTooShort(minimum: number): AuthError {
    return new AuthError({
      code: 'password_too_short',
      message: 'The password is too short.',
      remedy: `Choose one of at least ${minimum} characters.`,
      status: 400,
      details: { minimum },
    });
  }

  static inputInvalid(detail: string, fields: string[], cause: unknown): AuthError {
    return new AuthError({
      code: 'input_invalid',
      message: `This cannot be accepted: ${detail}.`,
      remedy: 'Correct the named fields.',
      status: 400,
      details: { fields },
      cause,
    });
  }

  static optionsInvalid(detail: string, cause: unknown): AuthError {
    return new AuthError({
      code: 'auth_options_invalid',
      message: `AuthModule cannot start with these options: ${detail}.`,
      remedy: 'Correct the named option where the application imports AuthModule.',
      status: 500,
      cause,
    });
  }
}
