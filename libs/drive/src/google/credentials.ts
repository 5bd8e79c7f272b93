import { readFileSync } from 'node:fs';
import { JWT, OAuth2Client } from 'google-auth-library';
import { z } from 'zod';
import { DriveError } from '../drive-error.js';

/** As whom the platform reads. */
export type GoogleCredentials = ServiceAccount | Consent;

interface ServiceAccount {
  /** The JSON key that Google made for it, or the path of that file. */
  serviceAccount: string | Record<string, unknown>;
}

/** Of a person who consented once. */
interface Consent {
  clientId: string;
  clientSecret: string;
  refreshToken: string;
}

const keySchema = z.object({ client_email: z.string().min(1), private_key: z.string().min(1) });

/** Nothing is ever written. */
const scope = 'https://www.googleapis.com/auth/drive.readonly';
/** Where the library asks for tokens. It has no option for another place where service accounts are concerned. */
const tokenUrlOfLibrary = 'https://oauth2.googleapis.com/token';
/** Node's own: its streams end in an error when the connection breaks. */
const transporterOptions = { fetchImplementation: fetch };

/** Whoever asks, under a name that tells users of one project apart; and how they prove it. */
export interface GoogleUser {
  name: string;
  client: OAuth2Client;
}

/** @throws DriveError `options_invalid` for a key that cannot be read */
export function userOf(credentials: GoogleCredentials, tokenUrl = tokenUrlOfLibrary): GoogleUser {
  const user = 'refreshToken' in credentials ? personOf(credentials) : accountOf(credentials.serviceAccount);
  user.client.transporter.interceptors.request.add({
    resolved: async (request) => {
      if (String(request.url) === tokenUrlOfLibrary) request.url = new URL(tokenUrl);
      // For tokens it has a way of its own of trying again, which would not know when Google wants to be left alone.
      request.retry = false;
      delete request.retryConfig;
      // It asks for everything compressed, and a part of what is compressed is no part of the file.
      if (request.headers.has('range')) request.headers.set('accept-encoding', 'identity');
      return request;
    },
  });
  return user;
}

function personOf({ clientId, clientSecret, refreshToken }: Consent): GoogleUser {
  const client = new OAuth2Client({ clientId, clientSecret, transporterOptions });
  client.setCredentials({ refresh_token: refreshToken });
  return { name: `${clientId} ${refreshToken}`, client };
}

function accountOf(serviceAccount: ServiceAccount['serviceAccount']): GoogleUser {
  const { client_email: email, private_key: key } = keyOf(serviceAccount);
  return { name: email, client: new JWT({ email, key, scopes: [scope], transporterOptions }) };
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
