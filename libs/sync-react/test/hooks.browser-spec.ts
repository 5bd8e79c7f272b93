import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { describeInBrowser, launchBrowser } from '../../../test/support/browser.js';
import { servePage } from '../../sync-client/test/browser-page.js';
import { FakeServer } from '../../sync-client/test/fake-server.js';

type Exported = typeof import('./hooks-page.js');

describeInBrowser('the hooks', () => {
  let site: Awaited<ReturnType<typeof servePage>>;
  let browser: Browser;
  let server: FakeServer;
  let page: Page;
  const complaints: string[] = [];

  const shows = (id: string, text: string) =>
    page.waitForFunction(([selector, wanted]) => document.querySelector(`#${selector}`)?.textContent === wanted, [
      id,
      text,
    ] as const);

  beforeAll(async () => {
    site = await servePage(fileURLToPath(new URL('./hooks-page.tsx', import.meta.url)));
    browser = await launchBrowser();
    server = await FakeServer.start();
    page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(site.url);
    await page.waitForFunction(() => 'exported' in window);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await site?.close();
  });

  test('show what is there, what changes, and what was not seen yet', async () => {
    server.append('band:b1', 'file:1', 'one');
    server.append('band:b1:Bb', 'file:2', 'two');
    await page.evaluate((url) => (window as unknown as { exported: Exported }).exported.show(url), server.url);
    await shows('connection', 'live');
    await shows('rows', 'file:1=one file:2=two');
    await shows('changes', '');

    server.publish('band:b1', 'file:1', 'another');
    server.publish('band:b1:Bb', 'file:2', null);
    await shows('rows', 'file:1=another');
    await shows('changes', 'file:2 file:1');
    await page.click('#seen');
    await shows('changes', 'file:2');

    await page.click('#leave');
    await shows('part', 'stale');
    await shows('connection', 'live');
    server.socket.conn.close();
    server.publish('band:b1', 'file:3', 'missed');
    await shows('rows', 'file:1=another file:3=missed');
    expect(complaints.filter((text) => !text.includes('favicon'))).toEqual([]);
  });
});
