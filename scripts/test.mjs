// `npm test [jest arguments]`: installs what is missing and runs every test. Browser tests are left out, and say so, where
// the machine has no Chromium.
import { installWhatIsMissing, node } from './install.mjs';

await installWhatIsMissing();
process.exit(
  await node(
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    ...process.argv.slice(2),
  ),
);
