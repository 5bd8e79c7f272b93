import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const oldest = [20, 19];

/** Installs the packages where they are missing or not those of the lock file. Says so, since it can take a minute. */
export async function installWhatIsMissing() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    stop(`This needs Node.js ${oldest.join('.')} or newer; this is ${process.versions.node}.`);
  }
  const stamp = join(root, 'node_modules/.soleil-installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(`${process.platform} ${process.arch} ${process.versions.modules}`)
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log('Installing packages …');
  // Dev dependencies build the page and the server, so they are wanted even where NODE_ENV says production.
  const code = await run('npm', [
    'ci',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  if (code !== 0) stop('The packages could not be installed; the lines above say why.');
  writeFileSync(stamp, wanted);
}

/** Runs a program in the project's root, its output shown. @returns its exit code */
export function run(program, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: 'inherit',
      env,
      shell: process.platform === 'win32' && program === 'npm',
    });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ? 1 : code));
  });
}

export const node = (...args) => run(process.execPath, args);

export function stop(message) {
  console.error(`\n${message}\n`);
  process.exit(1);
}
