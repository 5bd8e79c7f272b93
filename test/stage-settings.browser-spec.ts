/// <reference lib="dom" />
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { describeInBrowser, launchBrowser } from './support/browser.js';
import { startPlatform, type TestPlatform } from './support/platform.js';
import { builtStage } from './support/stage.js';

describeInBrowser("a band's settings on the page", () => {
  let platform: TestPlatform;
  let browser: Browser;
  const contexts: BrowserContext[] = [];

  beforeAll(async () => {
    await builtStage();
    platform = await startPlatform();
    await writeFile(join(platform.libraryDir, 'Blue Bells_Concert.cho'), '{title: Blue Bells}\n[C]La [G]la\n');
    await writeFile(
      join(platform.libraryDir, 'Red Moon_Bb.pdf'),
      '%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj\ntrailer <<>>\n%%EOF\n',
    );
    browser = await launchBrowser();
  }, 120_000);
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });
  afterAll(async () => {
    await browser.close();
    await platform.close();
  });

  const signIn = async (name: string): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    contexts.push(context);
    const page = await context.newPage();
    await page.goto(platform.url);
    await page.getByRole('button', { name: new RegExp(name) }).click();
    await page.getByText('Blue Bells').first().waitFor();
    return page;
  };
  const settings = async (lea: Page): Promise<Locator> => {
    await lea.goto(`${platform.url}/#/band`);
    const part = lea.getByRole('region', { name: 'Settings' });
    await part.getByLabel('Look for changes every').waitFor();
    return part;
  };

  it('takes a type of files from the devices of the band and brings it back, and is as it was left', async () => {
    const [tina, lea] = [await signIn('Tina'), await signIn('Lea')];
    await tina.getByText('Red Moon').first().waitFor();
    const part = await settings(lea);
    const save = part.getByRole('button', { name: 'Save settings' });
    expect(await save.isDisabled()).toBe(true);
    await part.getByLabel('Only these:').check();
    for (const group of ['Chord charts', 'Recordings', 'Setlists', 'Sheet music']) await part.getByLabel(group).uncheck();
    await part.getByText('Choose at least one type of files.').waitFor();
    expect(await save.isDisabled()).toBe(true);
    await part.getByLabel('Sheet music').check();
    await part.getByLabel('Look for changes every').fill('1.5');
    await part.getByLabel('Show only the newest').check();
    await save.click();
    await part.getByRole('status').getByText('Saved. Every file is being checked for it.').waitFor();
    await tina.getByText('Blue Bells').first().waitFor({ state: 'detached' });
    await tina.getByText('Red Moon').first().waitFor();

    await lea.reload();
    await part.getByLabel('Sheet music').waitFor();
    expect(await part.getByLabel('Sheet music').isChecked()).toBe(true);
    expect(await part.getByLabel('Chord charts').isChecked()).toBe(false);
    expect(await part.getByLabel('Look for changes every').inputValue()).toBe('1.5');
    expect(await part.getByLabel('Show only the newest').isChecked()).toBe(true);
    await part.getByLabel('Show all of them').check();
    await part.getByLabel('All files in the folder').check();
    await save.click();
    await tina.getByText('Blue Bells').first().waitFor();
  });

  it('says what went wrong, and keeps what was entered', async () => {
    const lea = await signIn('Lea');
    const part = await settings(lea);
    await lea.route('**/settings', (route) => route.abort());
    await part.getByLabel('Largest file').fill('25');
    await part.getByRole('button', { name: 'Save settings' }).click();
    await part.getByRole('alert').getByText('The server cannot be reached.').waitFor();
    expect(await part.getByLabel('Largest file').inputValue()).toBe('25');
    await lea.unroute('**/settings');
    await part.getByRole('button', { name: 'Save settings' }).click();
    await part.getByRole('status').getByText('Saved. Every file is being checked for it.').waitFor();
  });

  it('fits a phone', async () => {
    const lea = await signIn('Lea');
    const part = await settings(lea);
    await part.getByLabel('Only these:').check();
    const overflow = await lea.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow).toBe(0);
  });
});
