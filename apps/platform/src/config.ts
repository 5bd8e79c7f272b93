import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { GoogleCredentials } from '@soleil/drive';
import { z } from 'zod';

/** The checkout, wherever this file was compiled to. */
export const projectRoot = findRoot(import.meta.dirname);

const environment = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  DATA_DIR: z.string().min(1).default(join(projectRoot, '.data')),
  LIBRARY_DIR: z.string().min(1).default(join(projectRoot, 'library')),
  AUTH_SECRET: z.string().min(32).optional(),
  DEMO: z.enum(['on', 'off']).optional(),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  MAX_FILE_MB: z.coerce.number().int().min(1).optional(),
  GOOGLE_KEY_FILE: z.string().min(1).optional(),
  GOOGLE_CLIENT_ID: z.string().min(1).optional(),
  GOOGLE_CLIENT_SECRET: z.string().min(1).optional(),
  GOOGLE_REFRESH_TOKEN: z.string().min(1).optional(),
  GOOGLE_FOLDER_ID: z.string().min(1).optional(),
  GOOGLE_DRIVE_ID: z.string().min(1).optional(),
});

type Environment = z.infer<typeof environment>;

/** How the platform is run. Each comes from the environment variable named beside it. */
export interface PlatformConfig {
  /** PORT, 3000. 0 takes a free one. */
  port: number;
  /** HOST, 127.0.0.1: this machine only. 0.0.0.0 lets the tablets of the room in. */
  host: string;
  /** DATABASE_URL. Without it, an embedded PostgreSQL keeps its data in `dataDir`. */
  databaseUrl: string | undefined;
  /** DATA_DIR, `.data` in the checkout. */
  dataDir: string;
  /** LIBRARY_DIR, `library` in the checkout: the demo band's folder. */
  libraryDir: string;
  /** AUTH_SECRET, at least 32 characters. Without it, a key is made once and kept in the database. */
  authSecret: string | undefined;
  /** DEMO, `on` with the embedded database, else `off`: load the demo band and list its members on the sign-in page. */
  demo: boolean;
  /** PUBLIC_URL: where the platform is reached from outside. With https, Google Drive tells changes there. */
  publicUrl: string | undefined;
  /** MAX_FILE_MB, 200: what is larger is listed, with the reason why it is not served. Here in bytes. */
  maxFileBytes: number | undefined;
  /** As whom folders of Google Drive are read; without it there are none. */
  google: GoogleConfig | undefined;
}

export interface GoogleConfig {
  /** GOOGLE_KEY_FILE, of a service account; or GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET and GOOGLE_REFRESH_TOKEN, of a person. */
  credentials: GoogleCredentials;
  /** GOOGLE_FOLDER_ID, with GOOGLE_DRIVE_ID in a shared drive: the demo band's folder in place of `libraryDir`. */
  folder: { folderId: string; driveId?: string } | undefined;
}

/** @throws Error naming the variable that does not fit */
export function readConfig(env: NodeJS.ProcessEnv): PlatformConfig {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) throw new Error(`The environment does not fit.\n${z.prettifyError(parsed.error)}`);
  const { PORT, HOST, DATABASE_URL, DATA_DIR, LIBRARY_DIR, AUTH_SECRET, DEMO, PUBLIC_URL, MAX_FILE_MB } = parsed.data;
  return {
    port: PORT,
    host: HOST,
    databaseUrl: DATABASE_URL,
    dataDir: resolve(DATA_DIR),
    libraryDir: resolve(LIBRARY_DIR),
    authSecret: AUTH_SECRET,
    demo: DEMO ? DEMO === 'on' : DATABASE_URL === undefined,
    publicUrl: PUBLIC_URL,
    maxFileBytes: MAX_FILE_MB && MAX_FILE_MB * 1024 ** 2,
    google: googleOf(parsed.data),
  };
}

function googleOf(given: Environment): GoogleConfig | undefined {
  const { GOOGLE_FOLDER_ID: folderId, GOOGLE_DRIVE_ID: driveId } = given;
  const credentials = credentialsOf(given);
  if (!credentials && folderId)
    throw new Error('GOOGLE_FOLDER_ID needs GOOGLE_KEY_FILE, or the three variables of a consent.');
  if (driveId && !folderId) throw new Error('GOOGLE_DRIVE_ID needs GOOGLE_FOLDER_ID, which may be the same.');
  if (!credentials) return undefined;
  return { credentials, folder: folderId ? { folderId, ...(driveId ? { driveId } : {}) } : undefined };
}

function credentialsOf(given: Environment): GoogleCredentials | undefined {
  const { GOOGLE_KEY_FILE: keyFile } = given;
  const { GOOGLE_CLIENT_ID: clientId, GOOGLE_CLIENT_SECRET: clientSecret, GOOGLE_REFRESH_TOKEN: refreshToken } = given;
  const consent = [clientId, clientSecret, refreshToken].filter((part) => part !== undefined);
  if (keyFile && consent.length > 0)
    throw new Error('Give either GOOGLE_KEY_FILE or the variables of a consent (GOOGLE_CLIENT_ID and its like), not both.');
  if (keyFile) return { serviceAccount: resolve(keyFile) };
  if (clientId && clientSecret && refreshToken) return { clientId, clientSecret, refreshToken };
  if (consent.length === 0) return undefined;
  throw new Error('A consent is GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET and GOOGLE_REFRESH_TOKEN; one of them is missing.');
}

function findRoot(from: string): string {
  if (existsSync(join(from, 'nest-cli.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('The checkout (the directory with nest-cli.json) was not found.');
  return findRoot(parent);
}
