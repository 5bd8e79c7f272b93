import { drive, type drive_v3 } from '@googleapis/drive';
import { OAuth2Client } from 'google-auth-library';
import type { UserCredential } from './credentials.js';
import type { FakeDrive } from './fake-drive.js';

/** Google's own client, on its way to the fake in a user's name. It never tries anything again by itself. */
export function officialClient(fake: FakeDrive, { clientId, clientSecret, refreshToken }: UserCredential): drive_v3.Drive {
  const auth = new OAuth2Client({ clientId, clientSecret, endpoints: { oauth2TokenUrl: fake.tokenUrl } });
  auth.setCredentials({ refresh_token: refreshToken });
  return drive({ version: 'v3', auth, rootUrl: fake.rootUrl, retry: false });
}
