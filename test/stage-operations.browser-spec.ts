/// <reference lib="dom" />
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { describeInBrowser, launchBrowser } from './support/browser.js';
import { startPlatform, type TestPlatform } from './support/platform.js';
import { builtStage } from './support/stage.js';

const tunes = 240;

describeInBrowser('the page of operations', () => {
  let platform: TestPlatform;
  let browser: Browser;
  let database: pg.Client;
  const contexts: BrowserContext[] = [];

  beforeAll(async () => {
    await builtStage();
    platform = await startPlatform();
    database = new pg.Client({ connectionString: platform.database.url });
    await database.connect();
    for (let n = 1; n <= tunes; n++)
      await writeFile(join(platform.libraryDir, `Tune ${n}_Concert.cho`), `{title: Tune ${n}}\n[C]La [G]la\n`);
    while ((await fileIds()).length < tunes) await new Promise((resolve) => setImmediate(resolve));
    browser = await launchBrowser();
  }, 120_000);
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });
  afterAll(async () => {
    await browser.close();
    await database.end();
    await platform.close();
  });

  /** Of the files that the log knows, in the order in which a full sync takes them. */
  const fileIds = async (): Promise<string[]> => {
    const { rows } = await database.query<{ fileId: string }>(
      `select file_id as "fileId" from sync_file where channel is not null order by file_id collate "C"`,
    );
    return rows.map(({ fileId }) => fileId);
  };
  const signIn = async (name: string): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 820, height: 1180 }, colorScheme: 'light' });
    contexts.push(context);
    const page = await context.newPage();
    await page.goto(platform.url);
    await page.getByRole('button', { name: new RegExp(name) }).click();
    await page.getByRole('banner').getByText('Live', { exact: true }).first().waitFor();
    return page;
  };
  const leader = async (): Promise<Page> => {
    const lea = await signIn('Lea');
    await lea.goto(`${platform.url}/#/band`);
    return lea;
  };
  const part = (page: Page, title: string): Locator => page.getByRole('region', { name: title });
  /** So many operations of the band may begin from now on, and no more within a minute; null: all. */
  const allow = async (many: number | null): Promise<void> => {
    await database.query(
      `with chosen as (
         insert into sync_band_setting (band_id, operations_per_minute) values ($1, $2::int)
         on conflict (band_id) do update set operations_per_minute = excluded.operations_per_minute
       ), pace as (
         update sync_band_pace set begun = 0, minute_ends_at = '-infinity', paused_until = '-infinity' where band_id = $1
       )
       update sync_operation set run_at = clock_timestamp() where band_id = $1 and status = 'pending'`,
      [platform.bandId, many],
    );
  };

  it('shows the bar of a full sync move on and end, its files, and to members a quiet line', async () => {
    await allow(100);
    const [lea, tina] = [await leader(), await signIn('Tina')];
    await lea.getByRole('button', { name: 'Full sync' }).first().click();
    await lea.getByRole('dialog').getByRole('button', { name: 'Full sync' }).click();
    const check = part(lea, 'Checks of the library').getByRole('listitem').filter({ hasText: 'Full sync' }).first();
    const bar = check.getByRole('progressbar');
    const beyond = async (value: number): Promise<number> => {
      const handle = await bar.elementHandle();
      const reached = await lea.waitForFunction(
        ([element, least]) => {
          const { value: at, max } = element as HTMLProgressElement;
          return max > 1 && at > least ? at : false;
        },
        [handle, value] as const,
      );
      return (await reached.jsonValue()) as number;
    };
    const first = await beyond(0);
    await tina.getByText(/The library is being checked: \d+ of 240/).waitFor();
    await allow(80);
    const second = await beyond(first);
    expect([first, second].every((value) => value > 0 && value < tunes)).toBe(true);
    // Who opens the page in the middle sees the same.
    await lea.reload();
    expect(await beyond(first)).toBeGreaterThanOrEqual(second);
    await check.getByText('Its files').click();
    await check.getByText('Waiting', { exact: true }).first().waitFor();
    await allow(null);
    await check.getByText(/Done in/).waitFor();
    await check.getByText('Waiting', { exact: true }).first().waitFor({ state: 'detached' });
    expect(await bar.count()).toBe(0);
    await tina.getByText(/The library is being checked/).waitFor({ state: 'detached' });
  });

  it('tries a dead one again, and gives one up', async () => {
    const [again, never] = await fileIds();
    const insert = `
      insert into sync_operation (id, kind, status, priority, ordering_key, band_id, file_id, cause, attempts, error_code, error_message, error_remedy, finished_at)
      values (gen_random_uuid(), 'file', 'dead', 2, 'file:' || $1, $2, $1, 'drive.file_changed', 3, 'not_readable', 'The file may not be read.', 'Give permission.', now())
      returning id`;
    const ids: string[] = [];
    for (const fileId of [again, never]) {
      const { rows } = await database.query<{ id: string }>(insert, [fileId, platform.bandId]);
      ids.push(rows[0]!.id);
    }
    const lea = await leader();
    const dead = part(lea, 'Needs attention').getByRole('listitem');
    await dead
      .filter({ hasText: /Tune \d+_Concert.cho/ })
      .nth(1)
      .waitFor();
    await dead
      .filter({ hasText: /Stopped after 3 attempts/ })
      .nth(1)
      .waitFor();
    await dead.filter({ hasText: 'The file may not be read. Give permission. not_readable' }).nth(1).waitFor();
    const outcome = async (id: string): Promise<string> =>
      (await database.query<{ status: string }>('select status from sync_operation where id = $1', [id])).rows[0]!.status;
    // The newest stands first.
    await dead
      .last()
      .getByRole('button', { name: /^Try again/ })
      .click();
    await lea.getByRole('status').getByText('It is being tried again.').waitFor();
    await dead.nth(1).waitFor({ state: 'detached' });
    while ((await outcome(ids[0]!)) !== 'completed') await new Promise((resolve) => setImmediate(resolve));
    await dead.getByRole('button', { name: /^Give up/ }).click();
    await part(lea, 'Needs attention').waitFor({ state: 'detached' });
    expect(await outcome(ids[1]!)).toBe('cancelled');
  });
});
