import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from './config.js';

/** What the page is made of; a change in any of it makes the built page stale. */
const sources = ['apps/stage', 'libs/sync-client/src', 'libs/sync-react/src', 'libs/sync-protocol/src'];

export const stageDirectory = join(projectRoot, 'apps/stage/dist');

/** Builds the page where it is missing or older than its sources. */
export async function buildStageIfStale(): Promise<void> {
  const built = await modifiedAt(join(stageDirectory, 'index.html'));
  const newest = Math.max(...(await Promise.all(sources.map((source) => newestIn(join(projectRoot, source))))));
  if (built > newest) return;
  process.stdout.write('Building the page …\n');
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    const vite = spawn(
      process.execPath,
      [join(projectRoot, 'node_modules/vite/bin/vite.js'), 'build', 'apps/stage', '--logLevel', 'warn'],
      {
        cwd: projectRoot,
        stdio: ['ignore', 'inherit', 'inherit'],
        // Whatever runs this (a test, say), the page is built as members get it.
        env: { ...process.env, NODE_ENV: 'production' },
      },
    );
    vite.once('error', reject);
    vite.once('close', resolve);
  });
  if (exitCode !== 0) throw new Error('The page could not be built; the lines above say why.');
}

async function newestIn(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const times = entries
    .filter(({ name }) => name !== 'dist' && name !== 'node_modules')
    .map((entry) => (entry.isDirectory() ? newestIn(join(directory, entry.name)) : modifiedAt(join(directory, entry.name))));
  return Math.max(0, ...(await Promise.all(times)));
}

async function modifiedAt(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  return found?.mtimeMs ?? 0;
}
