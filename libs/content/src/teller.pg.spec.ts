import { freshDatabase, type TestDatabase } from '../../../test/support/database.js';
import { startContent, type ContentApp } from '../test/content-app.js';

let database: TestDatabase;
const apps: ContentApp[] = [];

beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(async () => {
  for (const { app } of apps.splice(0)) await app.close();
  await database.drop();
});

const pdf = '%PDF-1.4\n%%EOF\n';

async function start(): Promise<ContentApp> {
  const content = await startContent(database.url, { tellBackoffMaxMs: 20, tellPollMs: 50 });
  apps.push(content);
  return content;
}

async function parse({ bus, drive }: ContentApp, fileId: string, revision: number, operationId: string): Promise<void> {
  await bus.request('content.parse_requested', {
    file: drive.put(fileId, `Blues ${revision}_Bb.pdf`, pdf, revision),
    operationId,
  });
}

describe('a fact of Content', () => {
  it('does not fail the verdict when nobody takes it, and is told again until somebody does', async () => {
    const one = await start();
    let refusals = 0;
    one.facts.refuse = () => ++refusals <= 3;
    await parse(one, 'f1', 1, 'a');
    const [fact] = await one.facts.until((told) => told.length > 0);
    expect([refusals, fact?.causedBy]).toEqual([4, 'a']);
  });

  it('keeps its place among the facts of its file, and holds up no other file', async () => {
    const one = await start();
    let isRefusing = true;
    one.facts.refuse = ({ fileId }) => isRefusing && fileId === 'f1';
    for (const revision of [1, 2, 3]) await parse(one, 'f1', revision, `f1-${revision}`);
    await parse(one, 'f2', 1, 'f2-1');
    await one.facts.until((told) => told.length === 1);
    isRefusing = false;
    const told = await one.facts.until((facts) => facts.length === 4);
    expect(told.map(({ causedBy }) => causedBy)).toEqual(['f2-1', 'f1-1', 'f1-2', 'f1-3']);
  });

  it('survives the end of the process that could not tell it, as the same event', async () => {
    const one = await start();
    const refused: string[] = [];
    one.facts.refuse = ({ eventId }) => refused.push(eventId) > 0;
    await parse(one, 'f1', 1, 'a');
    await one.app.close();
    apps.pop();
    const two = await start();
    const [fact] = await two.facts.until((told) => told.length > 0);
    expect(fact?.causedBy).toBe('a');
    expect(refused.length === 0 || refused[0] === fact?.eventId).toBe(true);
  });

  it('is told once by several processes on one database', async () => {
    const two = [await start(), await start()];
    await Promise.all(Array.from({ length: 40 }, (_, n) => parse(two[n % 2]!, `f${n}`, 1, `op${n}`)));
    const count = (): number => two[0]!.facts.told.length + two[1]!.facts.told.length;
    await Promise.race(two.map(({ facts }) => facts.until(() => count() >= 40)));
    for (const { app } of apps.splice(0)) await app.close();
    expect(new Set(two.flatMap(({ facts }) => facts.told.map(({ eventId }) => eventId))).size).toBe(40);
    expect(count()).toBe(40);
  });
});

describe('a new version of the parser', () => {
  it('is told once for each file that an older one read, and reading it again is news', async () => {
    const one = await start();
    for (const fileId of ['f1', 'f2', 'f3']) await parse(one, fileId, 1, fileId);
    await one.bus.request('content.forget_requested', { fileId: 'f3', revision: 2, operationId: 'gone' });
    await one.facts.until((told) => told.length === 4);
    await one.dataSource.query('update content_file set parser_version = 0, reported_version = 0');

    const two = await start();
    const seen = (): string[] =>
      [one, two].flatMap(({ facts }) =>
        facts.told.filter(({ name }) => name === 'content.metadata_changed').map(({ fileId }) => fileId),
      );
    await Promise.race([one, two].map(({ facts }) => facts.until(() => seen().length >= 2)));
    const three = await start();
    await parse(three, 'f1', 1, 'again');
    await Promise.race(
      [one, two, three].map(({ facts }) => facts.until((told) => told.some(({ causedBy }) => causedBy === 'again'))),
    );
    expect(seen().sort()).toEqual(['f1', 'f2']);
    expect(three.facts.told.filter(({ name }) => name === 'content.metadata_changed')).toEqual([]);
  });
});
