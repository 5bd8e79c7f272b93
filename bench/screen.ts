import { chromiumPath, launchBrowser } from '../test/support/browser.js';

/** A member's page in a real Chromium, which notes when each take became visible. */
export interface Screen {
  /** Take → the page's clock, milliseconds since 1970, in the frame that painted it. */
  seen(): Promise<Map<number, number>>;
  close(): Promise<void>;
}

declare global {
  interface Window {
    takesSeen: Record<number, number>;
  }
}

/** @returns null where the machine has no Chromium */
export async function openScreen(url: string, login: string): Promise<Screen | null> {
  if (chromiumPath() === null) return null;
  const browser = await launchBrowser();
  const page = await browser.newPage({ viewport: { width: 820, height: 1180 } });
  await page.request.post(`${url}/auth/sign-in`, { data: { login, password: 'rehearsal' } });
  await page.goto(url);
  await page.getByRole('banner').getByText('Live', { exact: true }).first().waitFor();
  await page.evaluate(() => {
    window.takesSeen = {};
    const look = (): void => {
      for (const [, take] of document.body.innerText.matchAll(/ take (\d+)\./g))
        window.takesSeen[Number(take)] ??= Date.now();
    };
    // In the frame after the change, when it is painted.
    new MutationObserver(() => requestAnimationFrame(look)).observe(document.body, {
      childList: true,
      subtree: true,
      characterData: true,
    });
  });
  return {
    seen: async () =>
      new Map(Object.entries(await page.evaluate(() => window.takesSeen)).map(([take, time]) => [Number(take), time])),
    close: () => browser.close(),
  };
}
