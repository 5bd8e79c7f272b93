import { readFileSync } from 'node:fs';
import { JWT, OAuth2Client } from 'google-auth-library';
import { z } from 'zod';
import { DriveError } from '../drive-error.js';

/** As whom the platform reads. */
export type GoogleCredentials =
  /** A service account: the JSON key that Google made for it, or the path of that file. */
  | { serviceAccount: string | Record<string, unknown> }
  /** A person who consented once. */
  | { clientId: string; clientSecret: string; refreshToken: string };

const keySchema = z.object({ client_email: z.string().min(1), private_key: z.string().min(1) });

/** Nothing is ever written. */
const scope = 'https://www.googleapis.com/auth/drive.readonly';
/** The library has no option for it where service accounts are concerned. */
const tokenUrlOfLibrary = 'https://oauth2.googleapis.com/token';

/** Whoever asks, under a name that tells users of one project apart; and how they prove it. */
export interface GoogleUser {
  name: string;
  client: OAuth2Client;
}

/** @throws DriveError `options_invalid` for a key that cannot be read */
export function userOf(credentials: GoogleCredentials, tokenUrl = tokenUrlOfLibrary): GoogleUser {
  // A client that retried by itself would neither obey Retry-After nor spend its units knowingly.
  const transporterOptions = { retry: false, fetchImplementation: fetch };
  if ('refreshToken' in credentials) {
    const { clientId, clientSecret, refreshToken } = credentials;
    const endpoints = { oauth2TokenUrl: tokenUrl };
    const client = new OAuth2Client({ clientId, clientSecret, endpoints, transporterOptions });
    client.setCredentials({ refresh_token: refreshToken });
    return { name: `${clientId} ${refreshToken}`, client };
  }
  const key = keyOf(credentials.serviceAccount);
  const client = new JWT({ email: key.client_email, key: key.private_key, scopes: [scope], transporterOptions });
  client.transporter.interceptors.request.add({
    resolved: async (request) => {
      if (String(request.url) === tokenUrlOfLibrary) request.url = new URL(tokenUrl);
      return request;
    },
  });
  return { name: key.client_email, client };
}

/** The access token is asked for anew before the next request. */
export function renewAccessToken(client: OAuth2Client): void {
  client.credentials.expiry_date = 1;
}

function keyOf(given: string | Record<string, unknown>): z.infer<typeof keySchema> {
  let key: unknown = given;
  if (typeof given === 'string') {
    try {
      key = JSON.parse(readFileSync(given, 'utf8'));
    } catch (cause) {
      throw new DriveError('options_invalid', `The key file "${given}" of the service account cannot be read.`, { cause });
    }
  }
  const parsed = keySchema.safeParse(key);
  if (!parsed.success)
    throw new DriveError('options_invalid', 'A key of a service account has client_email and private_key.');
  return parsed.data;
}
