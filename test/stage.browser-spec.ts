/// <reference lib="dom" />
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import type { Delivery } from '@soleil/sync';
import { projectRoot } from '../apps/platform/src/config.js';
import { describeInBrowser, launchBrowser } from './support/browser.js';
import { Cable } from './support/cable.js';
import { startPlatform, type TestPlatform } from './support/platform.js';
import { builtStage } from './support/stage.js';

const chart = (title: string, words: string): string =>
  `{title: ${title}}\n{key: G}\n{tempo: 96}\n\n[G]${words} [D7]all the [G]way\n`;

describeInBrowser('the page', () => {
  let platform: TestPlatform;
  let browser: Browser;
  let cable: Cable;
  const contexts: BrowserContext[] = [];

  beforeAll(async () => {
    await builtStage();
    platform = await startPlatform({ files: 'demo', sync: { ledgerFlushMs: 50 } });
    cable = await Cable.plug(() => platform.url);
    browser = await launchBrowser();
  }, 120_000);
  afterEach(async () => {
    cable.plugIn();
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });
  afterAll(async () => {
    await browser.close();
    await cable.remove();
    await platform.close();
  });

  const save = (name: string, content: string): Promise<void> => writeFile(join(platform.libraryDir, name), content);
  /** A device of its own: nothing stored, nobody signed in. */
  const device = async (url = platform.url, size = { width: 820, height: 1180 }): Promise<Page> => {
    const context = await browser.newContext({ viewport: size, colorScheme: 'light' });
    contexts.push(context);
    const page = await context.newPage();
    await page.goto(url);
    return page;
  };
  const signIn = async (name: string, url?: string): Promise<Page> => {
    const page = await device(url);
    await page.getByRole('button', { name: new RegExp(name) }).click();
    await live(page);
    return page;
  };
  const live = (page: Page): Promise<void> => page.getByRole('banner').getByText('Live', { exact: true }).first().waitFor();
  const tab = (page: Page, name: RegExp): Locator =>
    page.getByRole('navigation', { name: 'Files of this song' }).getByRole('link', { name });
  const song = (page: Page, title: string): Locator => page.getByRole('link', { name: new RegExp(title) }).first();

  it('signs a member in and shows the repertoire of their instrument', async () => {
    const tina = await signIn('Tina');
    await song(tina, 'Amazing Grace').waitFor();
    await song(tina, 'Amazing Grace').click();
    await tab(tina, /B♭ part/).waitFor();
    expect(await tab(tina, /E♭/).count()).toBe(0);
    const alma = await signIn('Alma');
    await song(alma, 'Amazing Grace').click();
    await tab(alma, /E♭ part/).waitFor();
    expect(await tab(alma, /B♭/).count()).toBe(0);
  });

  it('says what was wrong when a sign-in fails', async () => {
    const page = await device();
    await page
      .getByLabel(/login|name/i)
      .first()
      .fill('tina');
    await page.getByLabel(/password/i).fill('not this one');
    await page.getByRole('button', { name: /^sign in$/i }).click();
    await page.getByRole('alert').first().waitFor();
  });

  it('changes the pages of two members, side by side, when a file is edited on disk, and marks what changed', async () => {
    const [tina, pete] = [await signIn('Tina'), await signIn('Pete')];
    await Promise.all([tina, pete].map((page) => song(page, 'Bill Bailey').waitFor()));
    await save('Bill Bailey_Concert.cho', chart('Bill Bailey Comes Home', 'Singing'));
    await Promise.all([tina, pete].map((page) => song(page, 'Bill Bailey Comes Home').waitFor()));
    await Promise.all([tina, pete].map((page) => song(page, 'Bill Bailey Comes Home').getByText('Changed').waitFor()));
  });

  it('tells nothing to those a file is not for', async () => {
    const [tina, alma] = [await signIn('Tina'), await signIn('Alma')];
    await save('Secret March_Bb.pdf', '%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj\ntrailer <<>>\n%%EOF\n');
    await song(tina, 'Secret March').waitFor();
    // A later change for everybody has come: what was to come before it is there.
    await save('Public Waltz_Concert.cho', chart('Public Waltz', 'Dancing'));
    await song(alma, 'Public Waltz').waitFor();
    expect(await alma.getByText('Secret March').count()).toBe(0);
  });

  it('replaces an open chart in place', async () => {
    await save('Open Song_Concert.cho', chart('Open Song', 'Before'));
    const tina = await signIn('Tina');
    await song(tina, 'Open Song').click();
    await tina.getByText('Before', { exact: false }).first().waitFor();
    await save('Open Song_Concert.cho', chart('Open Song', 'Afterwards'));
    await tina.getByText('Afterwards', { exact: false }).first().waitFor();
    expect(await tina.getByText('Before', { exact: false }).count()).toBe(0);
  });

  it('tells who has the new version, since when, and who is still without it, as they get it', async () => {
    const tina = await signIn('Tina');
    await tina.addInitScript(slowShelf);
    await save('Roll Call_Concert.cho', chart('Roll Call', 'Present'));
    await song(tina, 'Roll Call').click();
    const open = (): Promise<void> => tina.getByRole('button', { name: 'Who has it?' }).click();
    const status = (text: string): Promise<void> => tina.getByRole('status').filter({ hasText: text }).waitFor();
    const member = (name: string, text: string | RegExp): Promise<void> =>
      tina
        .getByRole('list', { name: 'Members' })
        .locator('> li')
        .filter({ hasText: name })
        .getByText(text)
        .first()
        .waitFor();
    const since = async (): Promise<string[]> => {
      const response = await tina.waitForResponse(/\/delivery$/);
      const { members } = (await response.json()) as Delivery;
      return members.flatMap(({ devices }) => devices.flatMap(({ hasSince }) => hasSince ?? []));
    };
    await open();
    await status('1 of 4 has it');
    await member('Tina', 'Has it');
    await member('Pete', 'Not yet');
    const before = await since();

    // While a page does not know yet what it has, it says nothing of that.
    await tina.reload();
    await live(tina);
    await tina.evaluate(() => dispatchEvent(new Event('shelf')));
    await open();
    await status('1 of 4 has it');
    expect(await since()).toEqual(before);

    const pete = await signIn('Pete');
    await status('2 of 4 have it');
    await member('Pete', 'Has it');
    await pete.context().close();
    await save('Roll Call_Concert.cho', chart('Roll Call', 'Absent'));
    await status('1 of 4 has it');
    await member('Pete', /away, last seen/);
    await tina.keyboard.press('Escape');
    expect(await tina.getByRole('list', { name: 'Members' }).count()).toBe(0);
  });

  it('shows a part as music', async () => {
    const tina = await signIn('Tina');
    await song(tina, 'Amazing Grace').click();
    await tab(tina, /B♭ part/).click();
    await tina.locator('canvas[data-drawn]').first().waitFor();
    const ink = await tina
      .locator('canvas')
      .first()
      .evaluate((page: HTMLCanvasElement) => {
        const pixels = page.getContext('2d')!.getImageData(0, 0, page.width, page.height).data;
        return pixels.filter((value, index) => index % 4 === 0 && value < 64 && pixels[index + 3] === 255).length;
      });
    expect(ink).toBeGreaterThan(1_000);
  });

  it('says that the connection is gone, keeps what it has, and catches up by itself with the three changes it missed', async () => {
    for (const n of [1, 2, 3]) await save(`Away ${n}_Concert.cho`, chart(`Away ${n}`, 'Old words'));
    const tina = await signIn('Tina', cable.url);
    for (const n of [1, 2, 3]) await song(tina, `Away ${n}`).waitFor();
    cable.pull();
    await tina
      .getByRole('banner')
      .getByText(/offline|reconnect|no connection|trying/i)
      .first()
      .waitFor();
    await song(tina, 'Away 1').waitFor();
    const witness = await signIn('Pete');
    for (const n of [1, 2, 3]) {
      await save(`Away ${n}_Concert.cho`, chart(`Away ${n} again`, 'New words'));
      await song(witness, `Away ${n} again`).waitFor();
    }
    expect(await tina.getByText('Away 1 again').count()).toBe(0);
    cable.plugIn();
    await live(tina);
    for (const n of [1, 2, 3]) await song(tina, `Away ${n} again`).waitFor();
  });

  it('lists what cannot be read, with the reason', async () => {
    await save('Sad Song_Bb.pdf', '');
    const tina = await signIn('Tina');
    await song(tina, 'Sad Song').waitFor();
    await song(tina, 'Sad Song').click();
    await tina.getByText(/empty/i).first().waitFor();
  });

  it('signs out for good', async () => {
    const tina = await signIn('Tina');
    await tina.getByRole('button', { name: /menu/i }).click();
    await tina.getByRole('button', { name: /sign out/i }).click();
    await tina.getByRole('button', { name: /Alma/ }).waitFor();
    await tina.reload();
    await tina.getByRole('button', { name: /Alma/ }).waitFor();
  });

  it('shows the leader operations and devices', async () => {
    const lea = await signIn('Lea');
    await lea.goto(`${platform.url}/#/band`);
    await lea.getByRole('button', { name: /look for changes/i }).click();
    await lea
      .getByText(/completed|done/i)
      .first()
      .waitFor();
  });

  // `PICTURES=1 npm test -- test/stage` takes the README's pictures anew.
  const takePictures = process.env.PICTURES ? it : it.skip;
  takePictures('has its picture taken', async () => {
    const pictures = join(projectRoot, 'docs/pictures');
    await mkdir(pictures, { recursive: true });
    for (const name of [
      'Secret March_Bb.pdf',
      'Public Waltz_Concert.cho',
      'Open Song_Concert.cho',
      'Roll Call_Concert.cho',
      'Sad Song_Bb.pdf',
      'Away 1_Concert.cho',
      'Away 2_Concert.cho',
      'Away 3_Concert.cho',
    ]) {
      await rm(join(platform.libraryDir, name), { force: true });
    }
    const original = (name: string): Promise<string> => readFile(join(projectRoot, 'library', name), 'utf8');
    await save('Bill Bailey_Concert.cho', await original('Bill Bailey_Concert.cho'));
    await forgetDevices(platform.database.url);
    const tina = await signIn('Tina');
    await song(tina, 'Bill Bailey').getByText('Hughie Cannon').waitFor();
    await save(
      'Careless Love_Concert.chopro',
      `${await original('Careless Love_Concert.chopro')}\n{comment: Again, softer}\n`,
    );
    await song(tina, 'Careless Love').getByText('Changed').waitFor();
    await tina.screenshot({ path: join(pictures, 'repertoire.png') });
    await song(tina, 'Amazing Grace').click();
    await tab(tina, /Chart/).click();
    await tina
      .getByText(/wretch/)
      .first()
      .waitFor();
    await tina.screenshot({ path: join(pictures, 'chart.png') });
    await tab(tina, /B♭ part/).click();
    await tina.locator('canvas[data-drawn]').first().waitFor();
    await tina.screenshot({ path: join(pictures, 'part.png') });
    await tab(tina, /Chart/).click();
    await signIn('Pete');
    await save('Amazing Grace_Concert.cho', `${await original('Amazing Grace_Concert.cho')}\n`);
    await tina.getByRole('button', { name: 'Who has it?' }).click();
    await tina.getByRole('status').filter({ hasText: '2 of 4 have it' }).waitFor();
    await tina.screenshot({ path: join(pictures, 'receipts.png') });
  });
});

/** Run by a page before its own code: what the browser has kept is known only when the event `shelf` comes. */
function slowShelf(): void {
  const { keys } = Cache.prototype;
  const known = new Promise((resolve) => addEventListener('shelf', resolve));
  Cache.prototype.keys = async function (this: Cache) {
    await known;
    return keys.call(this);
  };
}

/** Those of the tests before, so that a picture shows a band and not what tests leave behind. All of them must have gone. */
async function forgetDevices(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`delete from sync_device`);
  // Alma was here yesterday, Lea never.
  await client.query(
    `insert into sync_device (user_id, device_id, durable, connection, connected_at, connected, first_seen_at, last_seen_at)
     select id, 'tablet-of-alma', true, gen_random_uuid(), now() - interval '1 day', false, now() - interval '1 day', now() - interval '1 day'
     from auth_user where login = 'alma'`,
  );
  await client.end();
}
