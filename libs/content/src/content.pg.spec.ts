import type { DriveFile } from '@soleil/bus';
import { contentSummary } from '@soleil/sync-protocol';
import { freshDatabase, type TestDatabase } from '../../../test/support/database.js';
import { startContent, type ContentApp } from '../test/content-app.js';

const chart = '{title: Amazing Grace!}\n{key: G}\nA[G]mazing [C]grace\n';
const pdf = '%PDF-1.4\n2 0 obj << /Type /Pages /Count 2 >> endobj\n%%EOF\n';

let database: TestDatabase;
let one: ContentApp;
let operations = 0;

beforeEach(async () => {
  database = await freshDatabase();
  one = await startContent(database.url);
});
afterEach(async () => {
  await one.app.close();
  await database.drop();
});

const parse = (file: DriveFile, operationId = `op${++operations}`) =>
  one.bus.request('content.parse_requested', { file, operationId });
const forget = (fileId: string, revision = 2, operationId = `op${++operations}`) =>
  one.bus.request('content.forget_requested', { fileId, revision, operationId });

describe('a file that Sync asks about', () => {
  it('gets a verdict, is remembered, and the fact names the operation that asked', async () => {
    const verdict = await parse(one.drive.put('f1', 'Amazing Grace.cho', chart), 'op-a');
    expect(verdict).toMatchObject({
      audience: null,
      content: { kind: 'chart', songId: 'amazing-grace', title: 'Amazing Grace!', readable: true },
    });
    expect(contentSummary.parse(verdict.content)).toEqual(verdict.content);
    const [fact] = await one.facts.until((told) => told.length > 0);
    expect(fact).toMatchObject({ name: 'content.updated', bandId: 'b1', fileId: 'f1', causedBy: 'op-a' });
    expect(await one.content.audienceOf('f1')).toMatchObject({ bandId: 'b1', audience: null });
  });

  it.each([
    ['a broken chart', 'Blues_Bb.cho', 'A[Gmazing', 'Bb', 'chordpro_broken'],
    ['an empty PDF', 'Blues_Eb.pdf', '', 'Eb', 'file_empty'],
    ['a PDF cut off', 'Blues_F.pdf', '%PDF-1.4 ...', 'F', 'pdf_broken'],
    ['a PDF that is none', 'Blues_Concert.pdf', '<html>', 'Concert', 'pdf_broken'],
    ['a recording that is none', 'Blues.mp3', 'not found', null, 'audio_broken'],
    ['a setlist without songs', 'Gig.setlist', '# Gig', null, 'setlist_empty'],
    ['an empty placeholder', 'Blues_X.pdf', '', 'leader', 'file_empty'],
    ['a PDF for nobody', 'Blues.pdf', pdf, 'leader', 'name_unknown'],
    ['another kind of file', 'budget.xlsx', 'PK', 'leader', 'kind_unknown'],
  ])('that is %s is unreadable, with the reason, for those its name says', async (_, path, bytes, audience, code) => {
    const verdict = await parse(one.drive.put('f1', path, bytes));
    expect(verdict).toMatchObject({ audience, content: { audience, readable: false, problem: { code } } });
    expect(contentSummary.parse(verdict.content)).toEqual(verdict.content);
    expect(await one.content.audienceOf('f1')).toMatchObject({ bandId: 'b1', audience });
  });

  it('that Drive does not serve is judged without its bytes', async () => {
    const part = one.drive.put('f1', 'Blues_Bb.pdf', pdf);
    const outside = await parse({
      ...part,
      size: 0,
      problem: { code: 'link_leaves_folder', reason: 'The link leads out of the folder.' },
    });
    expect(outside).toMatchObject({
      audience: 'leader',
      content: { readable: false, problem: { code: 'link_leaves_folder' } },
    });
    const locked = await parse({
      ...part,
      revision: 2,
      size: 0,
      problem: { code: 'not_readable', reason: 'No permission.' },
    });
    expect(locked).toMatchObject({ audience: 'Bb', content: { readable: false, problem: { code: 'not_readable' } } });
    expect(one.drive.asked).toEqual([]);
  });

  it('costs no more bytes than needed', async () => {
    await parse(one.drive.put('f1', 'Blues.mp3', Buffer.concat([Buffer.from('ID3'), Buffer.alloc(100_000)])));
    await parse({ ...one.drive.put('f2', 'Blues_Bb.pdf', pdf), size: 21 * 1024 * 1024 });
    const tome = await parse({ ...one.drive.put('f3', 'Blues.cho', chart), size: 2 * 1024 * 1024 });
    expect(tome.content).toMatchObject({ problem: { code: 'file_too_large_to_read' } });
    expect(one.drive.asked).toEqual([
      { fileId: 'f1', limit: 4096 },
      { fileId: 'f2', limit: 1024 },
    ]);
  });

  it('whose revision is gone is no verdict but a reason to ask again', async () => {
    const file = one.drive.put('f1', 'Blues.cho', chart);
    await expect(parse({ ...file, revision: 9 })).rejects.toMatchObject({ code: 'revision_gone', retryable: true });
    expect(await one.content.audienceOf('f1')).toBeNull();
  });

  it('has a name with everything that PostgreSQL cannot store', async () => {
    const verdict = await parse(one.drive.put('f1', 'dir\0/Bl\ud800ue\0s_Bb.pdf', pdf));
    expect(verdict.content).toMatchObject({ title: 'Bl ue s', songId: 'bl-ue-s' });
  });

  it('gets the same summary from the same bytes and name', async () => {
    const [first, second] = [
      await parse(one.drive.put('f1', 'Blues.cho', chart)),
      await parse(one.drive.put('f2', 'Blues.cho', chart)),
    ];
    expect(second).toEqual(first);
  });
});

describe('what is remembered', () => {
  it('is never overwritten by an older revision', async () => {
    const older = one.drive.put('f1', 'Old_Bb.pdf', pdf, 1);
    await parse(one.drive.put('f1', 'New_Eb.pdf', pdf, 2), 'new');
    const verdict = await parse(older, 'old');
    expect(verdict.audience).toBe('Bb');
    expect(await one.content.audienceOf('f1')).toMatchObject({ bandId: 'b1', audience: 'Eb' });
    await parse(one.drive.put('f2', 'Else_Bb.pdf', pdf), 'else');
    const told = await one.facts.until((facts) => facts.some(({ causedBy }) => causedBy === 'else'));
    expect(told.map(({ causedBy }) => causedBy)).not.toContain('old');
  });

  it('is no news when it is read again with the same result', async () => {
    const file = one.drive.put('f1', 'Blues_Bb.pdf', pdf);
    await parse(file, 'first');
    await parse(file, 'again');
    await forget('f1', 2, 'last');
    const told = await one.facts.until((facts) => facts.some(({ causedBy }) => causedBy === 'last'));
    expect(told.map(({ name, causedBy }) => [name, causedBy])).toEqual([
      ['content.updated', 'first'],
      ['content.deleted', 'last'],
    ]);
  });

  it('is not read again, as long as it is the same revision, without a problem, and the same parser', async () => {
    const part = one.drive.put('f1', 'Blues_Bb.pdf', pdf, 1);
    const first = await parse(part);
    expect(await parse(part)).toEqual(first);
    await parse(one.drive.put('f2', 'Cut_Bb.pdf', '%PDF-1.4'));
    await parse(one.drive.put('f2', 'Cut_Bb.pdf', '%PDF-1.4'));
    await parse(one.drive.put('f1', 'Blues_Eb.pdf', pdf, 2));
    await one.dataSource.query('update content_file set parser_version = 0');
    await parse(one.drive.put('f1', 'Blues_Eb.pdf', pdf, 2));
    expect(one.drive.asked.map(({ fileId }) => fileId)).toEqual(['f1', 'f2', 'f2', 'f1', 'f1']);
  });

  it('of many files at once is committed with the fact of each, and one that cannot be stored harms no other', async () => {
    await one.dataSource.query(`alter table content_file add constraint no_waltz check (title <> 'Waltz')`);
    const titles = ['Blues', 'Waltz', 'Reel', 'Jig'];
    const outcomes = await Promise.allSettled(
      titles.map((title) => parse(one.drive.put(title, `${title}_Bb.pdf`, pdf), title)),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    const told = await one.facts.until((facts) => facts.length === 3);
    expect(told.map(({ fileId, causedBy }) => [fileId, causedBy]).sort()).toEqual([
      ['Blues', 'Blues'],
      ['Jig', 'Jig'],
      ['Reel', 'Reel'],
    ]);
  });

  it('is the latest of several revisions that were read at once', async () => {
    const revisions = [1, 3, 2].map((revision) => one.drive.put('f1', `Blues ${revision}_Bb.pdf`, pdf, revision));
    await Promise.all(revisions.map((file) => parse(file, `r${file.revision}`)));
    expect(await one.content.audienceOf('f1')).toMatchObject({ revision: 3 });
    expect((await one.facts.until((told) => told.length === 2)).map(({ causedBy }) => causedBy)).toEqual(['r1', 'r3']);
  });

  it('is forgotten once, and a reading that was under way does not bring it back', async () => {
    await parse(one.drive.put('f1', 'Blues_Bb.pdf', pdf, 1));
    await one.dataSource.query('update content_file set parser_version = 0');
    let open = (): void => undefined;
    one.drive.gate = new Promise((resolve) => (open = resolve));
    const late = parse(one.drive.put('f1', 'Blues_Bb.pdf', pdf, 1));
    expect(await forget('f1')).toEqual({ forgotten: true });
    expect(await forget('f1')).toEqual({ forgotten: false });
    open();
    await late;
    expect(await one.content.audienceOf('f1')).toBeNull();
    expect(await one.content.library('b1', ['Bb'])).toEqual([]);
    await parse(one.drive.put('f1', 'Blues_Bb.pdf', pdf, 2));
    expect(await one.content.audienceOf('f1')).toMatchObject({ bandId: 'b1', audience: 'Bb' });
  });

  it('is there again at the revision as of which it was forgotten, though it was read before, and after its removal is not', async () => {
    const file = one.drive.put('f1', 'Blues_Bb.pdf', pdf, 1);
    await parse(file);
    expect(await forget('f1', 1)).toEqual({ forgotten: true });
    expect(await one.content.library('b1', ['Bb'])).toEqual([]);
    await parse(file);
    expect(await one.content.audienceOf('f1')).toMatchObject({ audience: 'Bb', revision: 1 });
    expect(await one.content.library('b1', ['Bb'])).toHaveLength(1);
    await forget('f1', 1);
    expect(await forget('f1', 2)).toEqual({ forgotten: false });
    await parse(file);
    expect(await one.content.audienceOf('f1')).toBeNull();
  });

  it('of a file never seen is nothing to forget', async () => {
    expect(await forget('nobody')).toEqual({ forgotten: false });
  });
});

describe('the library', () => {
  beforeEach(async () => {
    await parse(one.drive.put('f1', 'Amazing Grace.cho', chart));
    await parse(one.drive.put('f2', 'Amazing_Grace_Bb.pdf', pdf));
    await parse(one.drive.put('f3', 'Amazing Grace_Eb.pdf', pdf));
    await parse(one.drive.put('f4', 'amazing grace.mp3', 'ID3'));
    await parse(one.drive.put('f5', 'À la claire fontaine_X.pdf', pdf));
    await parse(one.drive.put('f6', 'setlists/2026-12-05 Ball.setlist', 'Amazing Grace\n'));
    await parse(one.drive.put('f7', 'setlists/2027-01-01 New Year.setlist', 'Amazing Grace\n'));
    await parse(one.drive.put('f8', 'budget.xlsx', 'PK'));
    await parse({ ...one.drive.put('f9', 'Amazing Grace_Bb.pdf', pdf), bandId: 'b2' });
  });

  it('shows a trumpeter the B♭ parts, the chord charts and the audio, song by song', async () => {
    const songs = await one.content.library('b1', one.content.audiencesFor('trumpet', 'member'));
    expect(songs.map(({ songId, title, files }) => [songId, title, files.map(({ fileId }) => fileId)])).toEqual([
      ['amazing-grace', 'Amazing Grace!', ['f1', 'f2', 'f4']],
    ]);
    expect(songs[0]?.files[1]).toEqual({
      fileId: 'f2',
      revision: 1,
      path: 'Amazing_Grace_Bb.pdf',
      content: {
        kind: 'part',
        songId: 'amazing-grace',
        title: 'Amazing Grace',
        pitch: 'Bb',
        audience: 'Bb',
        readable: true,
        problem: null,
        pages: 2,
      },
    });
  });

  it('shows a leader everything, in the order of titles', async () => {
    const leader = one.content.audiencesFor('piano', 'leader');
    expect((await one.content.library('b1', leader)).map(({ title, files }) => [title, files.length])).toEqual([
      ['À la claire fontaine', 1],
      ['Amazing Grace!', 4],
    ]);
    expect((await one.content.unsorted('b1', leader)).map(({ path }) => path)).toEqual(['budget.xlsx']);
    expect(await one.content.unsorted('b1', ['Bb'])).toEqual([]);
  });

  it('has the setlists, the latest first', async () => {
    const setlists = await one.content.setlists('b1');
    expect(setlists.map(({ content }) => [content.title, content.setlist?.date])).toEqual([
      ['New Year', '2027-01-01'],
      ['Ball', '2026-12-05'],
    ]);
  });

  it('answers who reads what on the bus', async () => {
    expect(await one.bus.request('content.audiences_requested', { instrument: 'alto sax', role: 'member' })).toEqual({
      audiences: ['Eb'],
    });
  });
});
