import { generateKeyPairSync, randomUUID, verify, type KeyObject } from 'node:crypto';
import { unauthorized } from './api-error.js';
import type { Clock } from './clock.js';

/** What a user's consent brings: the three parts an `OAuth2Client` needs. */
export interface UserCredential {
  email: string;
  clientId: string;
  clientSecret: string;
  refreshToken: string;
}

/** A service account's key file, as Google Cloud hands it out. */
export interface ServiceAccountKey {
  type: 'service_account';
  project_id: string;
  private_key_id: string;
  private_key: string;
  client_email: string;
  client_id: string;
  token_uri: string;
}

/** An answer of the token endpoint. */
export interface TokenAnswer {
  status: 200 | 400 | 401;
  body: Record<string, unknown>;
}

const tokenLifeS = 3_599;
/** Where assertions may be addressed to beside the fake itself: Google's library always names its own endpoint. */
const googleTokenUrl = 'https://oauth2.googleapis.com/token';
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Who may use the API: refresh tokens, service account keys and the access tokens given for them. */
export class Credentials {
  private readonly refreshTokens = new Map<string, UserCredential>();
  private readonly keys = new Map<string, { publicKey: KeyObject; keyId: string }>();
  private readonly accessTokens = new Map<string, { email: string; expiresAt: number }>();
  private readonly revoked = new Set<string>();

  constructor(private readonly clock: Clock) {}

  /** As after a user's consent. */
  user(email: string): UserCredential {
    const clientId = '1234567890-band.apps.googleusercontent.com';
    const credential = { email, clientId, clientSecret: 'GOCSPX-secret', refreshToken: `1//0${randomUUID()}` };
    this.revoked.delete(email);
    this.refreshTokens.set(credential.refreshToken, credential);
    return credential;
  }

  /** A service account's only key. */
  serviceAccount(email: string, tokenUrl: string): ServiceAccountKey {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const keyId = randomUUID().replaceAll('-', '');
    this.revoked.delete(email);
    this.keys.set(email, { publicKey, keyId });
    return {
      type: 'service_account',
      project_id: 'band-project',
      private_key_id: keyId,
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      client_email: email,
      client_id: '104857600000000000000',
      token_uri: tokenUrl,
    };
  }

  /** As when somebody takes the application's access away: no token of this user or service account works any more. */
  revoke(email: string): void {
    this.revoked.add(email);
  }

  /** Access tokens given so far are refused; refresh tokens bring new ones. */
  expireAccessTokens(): void {
    this.accessTokens.clear();
  }

  /** What the token endpoint answers to a form. */
  token(form: URLSearchParams, tokenUrl: string): TokenAnswer {
    switch (form.get('grant_type')) {
      case 'refresh_token':
        return this.refresh(form);
      case jwtBearer:
        return this.exchange(form.get('assertion') ?? '', [tokenUrl, googleTokenUrl]);
      default:
        return refusal('unsupported_grant_type', `Invalid grant_type: ${form.get('grant_type')}`);
    }
  }

  /**
   * Whose request it is. A service account may also sign its requests itself, addressed to the API.
   * @throws ApiError 401
   */
  userOf(authorization: string | undefined, rootUrl: string): string {
    const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '';
    const given = this.accessTokens.get(token);
    const email =
      given && given.expiresAt > this.clock.now()
        ? given.email
        : this.signer(token, ({ aud, scope }) => aud === rootUrl || typeof scope === 'string');
    if (email === undefined || this.revoked.has(email)) throw unauthorized();
    return email;
  }

  private refresh(form: URLSearchParams): TokenAnswer {
    const credential = this.refreshTokens.get(form.get('refresh_token') ?? '');
    if (!credential || this.revoked.has(credential.email)) {
      return refusal('invalid_grant', 'Token has been expired or revoked.');
    }
    if (credential.clientId !== form.get('client_id') || credential.clientSecret !== form.get('client_secret')) {
      return { ...refusal('invalid_client', 'The OAuth client was not found.'), status: 401 };
    }
    return this.grant(credential.email);
  }

  private exchange(assertion: string, audiences: string[]): TokenAnswer {
    const email = this.signer(assertion, ({ aud }) => audiences.includes(aud as string));
    if (email === undefined) return refusal('invalid_grant', 'Invalid JWT Signature.');
    if (this.revoked.has(email)) return refusal('invalid_grant', 'Invalid grant: account not found');
    return this.grant(email);
  }

  private grant(email: string): TokenAnswer {
    const accessToken = `ya29.${randomUUID()}`;
    this.accessTokens.set(accessToken, { email, expiresAt: this.clock.now() + tokenLifeS * 1000 });
    const scope = 'https://www.googleapis.com/auth/drive.readonly';
    return { status: 200, body: { access_token: accessToken, expires_in: tokenLifeS, scope, token_type: 'Bearer' } };
  }

  /** The service account that signed this JWT, if the signature is its own and the claims hold. */
  private signer(jwt: string, holds: (claims: Record<string, unknown>) => boolean): string | undefined {
    const [header = '', payload = '', signature = ''] = jwt.split('.');
    const claims = decode(payload);
    const email = typeof claims.iss === 'string' ? claims.iss : '';
    const key = this.keys.get(email);
    if (!key || decode(header).alg !== 'RS256' || !holds(claims)) return undefined;
    const isSigned = verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      key.publicKey,
      Buffer.from(signature, 'base64url'),
    );
    return isSigned ? email : undefined;
  }
}

function decode(part: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function refusal(error: string, description: string): TokenAnswer {
  return { status: 400, body: { error, error_description: description } };
}
