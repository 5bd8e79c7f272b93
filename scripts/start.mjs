// `npm start`: installs what is missing, builds, and becomes the platform. npm runs it with `exec`, so that no shell
// stands between a signal to npm and the platform.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installWhatIsMissing, node, root, stop } from './install.mjs';

if (process.env.npm_lifecycle_event === 'start') endWithNpm(process.ppid);
await installWhatIsMissing();
if ((await node('node_modules/@nestjs/cli/bin/nest.js', 'build')) !== 0) {
  stop('The platform could not be built; the lines above say why.');
}
process.chdir(root);
// In this very process, so that a signal to it reaches the platform and nothing is left behind.
await import(pathToFileURL(join(root, 'dist/apps/platform/src/main.js')).href);

/** npm that was killed outright tells nobody: without this, the platform would stay behind and keep the port. */
function endWithNpm(npm) {
  setInterval(() => {
    if (process.ppid !== npm) process.kill(process.pid, 'SIGTERM');
  }, 250).unref();
}
