// `npm test [jest arguments]`: installs what is missing and runs every test, browser tests included where there is a Chromium.
import { existsSync } from 'node:fs';
import { installWhatIsMissing, node } from './install.mjs';

await installWhatIsMissing();

const chromium = process.env.CHROMIUM_PATH ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
if (chromium) process.env.CHROMIUM_PATH = chromium;

const exitCode = await node('--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js', ...process.argv.slice(2));

if (!chromium) console.log('\nSkipped: the browser tests, since no Chromium was found. Install one (Debian: apt-get install chromium) or set CHROMIUM_PATH.');
process.exit(exitCode);
