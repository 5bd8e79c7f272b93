import { rm } from 'node:fs/promises';

import './postgres-setup.js';

/** Nobody needs this database any more, so it is not asked to write anything down. */
export default async function tearDownPostgres(): Promise<void> {
  const run = globalThis.postgresOfTestRun;
  if (run === undefined) return;
  await run.postgres.kill();
  await rm(run.dataDir, { recursive: true, force: true });
}
