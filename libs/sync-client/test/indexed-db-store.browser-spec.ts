import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { chromiumFlags, chromiumPath, describeInBrowser, launchBrowser } from '../../../test/support/browser.js';
import { servePage } from './browser-page.js';
import { storeContract } from './store-contract.js';

type Exported = typeof import('./indexed-db-page.js');
declare global {
  interface Window {
    exported: Exported;
    stored(offset: number): void;
    clear(): Promise<void>;
  }
}

const entry = fileURLToPath(new URL('./indexed-db-page.ts', import.meta.url));

describeInBrowser('the IndexedDB store', () => {
  let site: Awaited<ReturnType<typeof servePage>>;
  let browser: Browser;
  let context: BrowserContext;

  const openPage = async (inContext: BrowserContext = context): Promise<Page> => {
    const page = await inContext.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => window.exported !== undefined);
    return page;
  };

  beforeAll(async () => {
    site = await servePage(entry);
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  beforeEach(async () => {
    context = await browser.newContext();
  });

  afterEach(async () => {
    await context.close();
  });

  test.each(storeContract)('IndexedDB: $title', async ({ title }) => {
    const page = await openPage();
    expect(await page.evaluate((name) => window.exported.runPromise(name), title)).toBeNull();
  });

  test('belongs to the first tab; another gets memory and is another device; a reload gets it back', async () => {
    const open = (page: Page) =>
      page.evaluate(async () => {
        const { durable, deviceId } = await window.exported.openStore({ name: 'u1' });
        return { durable, deviceId };
      });
    const first = await openPage();
    const second = await openPage();
    const kept = await open(first);
    const other = await open(second);
    expect(kept.durable).toBe(true);
    expect(other.durable).toBe(false);
    expect(other.deviceId).not.toBe(kept.deviceId);

    await first.reload();
    await first.waitForFunction(() => window.exported !== undefined);
    expect(await open(first)).toEqual(kept);
    await first.close();
    await second.reload();
    await second.waitForFunction(() => window.exported !== undefined);
    expect(await open(second)).toEqual(kept);
  });

  test('goes on when the browser has removed what it held, but from no position that stands on it', async () => {
    const page = await openPage();
    const session = await context.newCDPSession(page);
    await page.exposeFunction('clear', () =>
      session.send('Storage.clearDataForOrigin', { origin: new URL(site.url).origin, storageTypes: 'indexeddb' }),
    );
    const stored = await page.evaluate(() => window.exported.storeAround('cleared', window.clear));
    expect(stored).toEqual({
      outcomes: [true, 'the browser has removed what was stored', true],
      seen: null,
      kept: 2,
      isSameDevice: true,
    });
  });

  test('of a killed browser has everything it had reported as stored, and no half of anything', async () => {
    const profile = await mkdtemp(join(tmpdir(), 'soleil-profile-'));
    const options = { executablePath: chromiumPath()!, args: chromiumFlags };
    try {
      let reported = 0;
      for (let round = 0; round < 3; round++) {
        const goal = reported + 25;
        const victim = await chromium.launchPersistentContext(profile, options);
        const page = await openPage(victim);
        const kill = await browserProcess(victim);
        await new Promise<void>((resolve) => {
          void page
            .exposeFunction('stored', (offset: number) => {
              reported = Math.max(reported, offset);
              if (offset >= goal) resolve();
            })
            .then(() => page.evaluate(() => void window.exported.writeForever('killed', window.stored)));
        });
        await kill();

        const survivor = await chromium.launchPersistentContext(profile, options);
        const { offset, rows } = await (await openPage(survivor)).evaluate(() => window.exported.readBack('killed'));
        await survivor.close();
        expect(offset).toBeGreaterThanOrEqual(reported);
        expect(rows).toEqual([offset, offset, offset]);
      }
    } finally {
      await rm(profile, { recursive: true, force: true });
    }
  });
});

/** @returns what kills the browser as a crash would, and resolves when it is gone: until then its files may be locked */
async function browserProcess(context: BrowserContext): Promise<() => Promise<void>> {
  const session = await context.browser()!.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const pid = processInfo.find(({ type }) => type === 'browser')?.id;
  if (pid === undefined) throw new Error('The browser does not say which process it is.');
  const closed = new Promise<void>((resolve) => context.once('close', () => resolve()));
  return async () => {
    process.kill(pid, 'SIGKILL');
    await closed;
    while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
