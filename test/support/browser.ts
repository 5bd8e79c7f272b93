import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium'];

/**
 * Chromium takes only one list of features to do without, so this begins with what matters of Playwright's own. The last two
 * are pages that each window loads for its address bar, where nobody ever sees them: a third of all the work.
 */
const unusedFeatures = [
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'PaintHolding',
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
];

/** Without what a test machine may not have or need: a sandbox as root, a GPU, QUIC, the vendor's own services. */
export const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  `--disable-features=${unusedFeatures.join(',')}`,
];

/**
 * Where this machine has a Chromium: `CHROMIUM_PATH`, or the usual places.
 *
 * @returns null where there is none. A browser suite is then left out: {@link describeInBrowser} says so.
 */
export const chromiumPath = (): string | null => {
  const named = process.env.CHROMIUM_PATH;
  return [...(named === undefined ? [] : [named]), ...places].find((path) => existsSync(path)) ?? null;
};

/** Starts a headless Chromium; whoever starts it closes it. @throws Error where the machine has none */
export const launchBrowser = async (): Promise<Browser> => {
  const executablePath = chromiumPath();
  if (executablePath === null) throw new Error('No Chromium found. Install one, or name it in CHROMIUM_PATH.');
  return chromium.launch({ executablePath, args: chromiumFlags });
};

/** A suite that needs a Chromium. Where there is none it is left out and the reason is printed. */
export const describeInBrowser = (title: string, suite: () => void): void => {
  if (chromiumPath() !== null) return describe(title, suite);
  process.stderr.write(`Left out: "${title}" needs a Chromium; none was found, and CHROMIUM_PATH names none.\n`);
  describe.skip(title, suite);
};
