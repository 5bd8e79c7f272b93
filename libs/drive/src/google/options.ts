import { z } from 'zod';
import { DriveError } from '../drive-error.js';
import { longestChannelMs } from './channels.js';
import type { GoogleCredentials } from './credentials.js';
import { Quota } from './quota.js';

/** What {@link GoogleDriveProvider} takes. All but the credentials has a default. */
export interface GoogleDriveOptions {
  credentials: GoogleCredentials;
  /** What the provider is called; to have several with different credentials. Default `google`. */
  name: string;
  /** How often the change list is asked for. Default 5,000. */
  pollIntervalMs: number;
  /** How often everything is listed, below what the change list tells. Default a day. */
  relistIntervalMs: number;
  /** Where Google posts notifications: a public https address of the platform. Default none: the change list is all. */
  webhookUrl: string | null;
  /** How long a subscription to them is asked for. Default, and at most, seven days. */
  channelMs: number;
  /** Shared by the providers of one Google project. Default one of its own, with Google's usual limits. */
  quota: Quota;
  /** Where the Drive API is. Default Google's. */
  rootUrl: string | null;
  /** Where access tokens are given out. Default Google's. */
  tokenUrl: string | null;
}

const text = z.string().min(1);
const duration = z.int().min(1);

const schema = z.strictObject({
  credentials: z.union([
    z.strictObject({ serviceAccount: z.union([text, z.record(z.string(), z.unknown())]) }),
    z.strictObject({ clientId: text, clientSecret: text, refreshToken: text }),
  ]),
  name: text.default('google'),
  pollIntervalMs: duration.default(5_000),
  relistIntervalMs: duration.default(24 * 60 * 60_000),
  webhookUrl: z
    .url({ protocol: /^https$/ })
    .nullable()
    .default(null),
  channelMs: duration.max(longestChannelMs).default(longestChannelMs),
  quota: z.instanceof(Quota).default(() => new Quota()),
  rootUrl: z.url().nullable().default(null),
  tokenUrl: z.url().nullable().default(null),
});

/** @throws DriveError `options_invalid`, which names the option */
export function googleDriveOptions(
  given: Pick<GoogleDriveOptions, 'credentials'> & Partial<GoogleDriveOptions>,
): GoogleDriveOptions {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || '(the whole)'}: ${issue.message}`);
  throw new DriveError('options_invalid', `GoogleDriveProvider's options do not fit. ${faults.join('; ')}`);
}
