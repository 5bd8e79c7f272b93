import { drive, type drive_v3 } from '@googleapis/drive';
import { JWT, OAuth2Client } from 'google-auth-library';
import type { ServiceAccountKey, UserCredential } from './credentials.js';
import type { FakeDrive } from './fake-drive.js';

/** Google's own client, on its way to the fake in a user's name. It never tries anything again by itself. */
export function officialClient(fake: FakeDrive, { clientId, clientSecret, refreshToken }: UserCredential): drive_v3.Drive {
  const endpoints = { oauth2TokenUrl: fake.tokenUrl };
  const auth = new OAuth2Client({ clientId, clientSecret, endpoints, transporterOptions: { retry: false } });
  auth.setCredentials({ refresh_token: refreshToken });
  return drive({ version: 'v3', auth, rootUrl: fake.rootUrl, retry: false });
}

/** The same for a service account, whose token the library asks of Google's own endpoint, come what may. */
export function serviceAccountClient(fake: FakeDrive, key: ServiceAccountKey): drive_v3.Drive {
  const scopes = ['https://www.googleapis.com/auth/drive.readonly'];
  const { client_email: email, private_key } = key;
  const auth = new JWT({ email, key: private_key, scopes, transporterOptions: { retry: false } });
  auth.transporter.interceptors.request.add({
    resolved: async (request) => {
      if (new URL(request.url).host === 'oauth2.googleapis.com') request.url = new URL(key.token_uri);
      return request;
    },
  });
  return drive({ version: 'v3', auth, rootUrl: fake.rootUrl, retry: false });
}

/** What a refused request was refused with. */
export interface Refusal {
  status: number;
  reason: string;
  location: string | undefined;
  retryAfter: string | null;
}

/** @throws whatever the request was answered with, when it was not refused */
export async function refusalOf(request: Promise<unknown>): Promise<Refusal> {
  const { response } = await request.then(
    () => {
      throw new Error('The request was not refused.');
    },
    (error: { response: { status: number; headers: Headers; data: RefusalBody } }) => error,
  );
  const { reason, location } = response.data.error.errors[0]!;
  return { status: response.status, reason, location, retryAfter: response.headers.get('retry-after') };
}

interface RefusalBody {
  error: { errors: { reason: string; location?: string }[] };
}
