import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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
});

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
}

/** @throws Error naming the variable that does not fit */
export function readConfig(env: NodeJS.ProcessEnv): PlatformConfig {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) throw new Error(`The environment does not fit.\n${z.prettifyError(parsed.error)}`);
  const { PORT, HOST, DATABASE_URL, DATA_DIR, LIBRARY_DIR, AUTH_SECRET, DEMO } = parsed.data;
  return {
    port: PORT,
    host: HOST,
    databaseUrl: DATABASE_URL,
    dataDir: resolve(DATA_DIR),
    libraryDir: resolve(LIBRARY_DIR),
    authSecret: AUTH_SECRET,
    demo: DEMO ? DEMO === 'on' : DATABASE_URL === undefined,
  };
}

function findRoot(from: string): string {
  if (existsSync(join(from, 'nest-cli.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('The checkout (the directory with nest-cli.json) was not found.');
  return findRoot(parent);
}
