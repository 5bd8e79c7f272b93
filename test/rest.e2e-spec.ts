import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContentSummary, WireError } from '@soleil/sync-protocol';
import { wireError } from '@soleil/sync-protocol';
import { DataSource } from 'typeorm';
import { startPlatform, type TestPlatform } from './support/platform.js';

interface Listed {
  fileId: string;
  revision: number;
  path: string;
  content: ContentSummary;
}

const pdf = '%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj\ntrailer <<>>\n%%EOF\n';

describe('the REST calls', () => {
  let platform: TestPlatform;
  let tina: string;
  let alma: string;
  let lea: string;

  beforeAll(async () => {
    platform = await startPlatform({ sync: { canaryMs: 100 } });
    const write = (name: string, content: string): Promise<void> => writeFile(join(platform.libraryDir, name), content);
    await write('Tune_Concert.cho', '{title: Tune}\n[C]La [G]la\n');
    await write('Tune_Bb.pdf', pdf);
    await write('Tune_Eb.pdf', '');
    await write('Broken_Concert.cho', '{title: Broken\n\0\0 [C never closed\n');
    await write('no pattern at all.pdf', pdf);
    await write('notes.docx', 'what is this');
    await mkdir(join(platform.libraryDir, 'setlists'));
    await write('setlists/Gig.setlist', '# Gig\ndate: 2026-12-05\n\n## Set 1\nTune | loud\n');
    await writeFile(join(tmpdir(), 'soleil-secret.cho'), '{title: Secret}\n[C]Not for the band\n');
    await symlink(join(tmpdir(), 'soleil-secret.cho'), join(platform.libraryDir, 'Leak_Concert.cho'));
    [tina, alma, lea] = (await Promise.all(['tina', 'alma', 'lea'].map((login) => platform.signIn(login)))) as [
      string,
      string,
      string,
    ];
    await listedAll();
  });
  afterAll(() => platform.close());

  const listed = async (token: string): Promise<Listed[]> => {
    const { bands } = (await (await platform.call('/library', { token })).json()) as {
      bands: { songs: { files: Listed[] }[]; setlists: Listed[]; unsorted: Listed[] }[];
    };
    return bands.flatMap(({ songs, setlists, unsorted }) => [
      ...songs.flatMap(({ files }) => files),
      ...setlists,
      ...unsorted,
    ]);
  };
  /** Every file has made its way: eight entries are in the folder. */
  const listedAll = async (): Promise<void> => {
    while ((await listed(lea)).length < 8) await new Promise((resolve) => setImmediate(resolve));
  };
  const file = async (token: string, path: string): Promise<Listed> =>
    (await listed(token)).find((candidate) => candidate.path === path)!;
  const errorOf = async (response: Response): Promise<WireError> =>
    wireError.parse(((await response.json()) as { error: unknown }).error);
  const content = (token: string, fileId: string, headers: Record<string, string> = {}, query = ''): Promise<Response> =>
    platform.call(`/files/${fileId}/content${query}`, { token, headers });

  it('lists what belongs to the instrument, and no more', async () => {
    const paths = (files: Listed[]): string[] => files.map(({ path }) => path).sort();
    expect(paths(await listed(tina))).toEqual([
      'Broken_Concert.cho',
      'Tune_Bb.pdf',
      'Tune_Concert.cho',
      'setlists/Gig.setlist',
    ]);
    expect(paths(await listed(alma))).toEqual([
      'Broken_Concert.cho',
      'Tune_Concert.cho',
      'Tune_Eb.pdf',
      'setlists/Gig.setlist',
    ]);
    expect(await listed(lea)).toHaveLength(8);
  });

  it.each([
    ['a broken chart', 'Broken_Concert.cho'],
    ['a zero-byte PDF', 'Tune_Eb.pdf'],
    ['a name that fits no pattern', 'no pattern at all.pdf'],
    ['a kind nobody knows', 'notes.docx'],
    ['a link out of the folder', 'Leak_Concert.cho'],
  ])('lists %s as unreadable, with the reason', async (_, path) => {
    const { content: summary } = await file(lea, path);
    expect(summary.readable).toBe(false);
    expect(summary.problem?.code).toMatch(/^[a-z_]+$/);
    expect(summary.problem?.reason).not.toBe('');
  });

  it('serves bytes with an ETag, once', async () => {
    const { fileId } = await file(tina, 'Tune_Bb.pdf');
    const response = await content(tina, fileId);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/pdf');
    expect(await response.text()).toBe(pdf);
    const again = await content(tina, fileId, { 'if-none-match': response.headers.get('etag')! });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
  });

  it('serves ranges, so that a download goes on where it broke off', async () => {
    const { fileId } = await file(tina, 'Tune_Bb.pdf');
    const part = await content(tina, fileId, { range: 'bytes=5-8' });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 5-8/${pdf.length}`);
    expect(await part.text()).toBe(pdf.slice(5, 9));
    expect(await (await content(tina, fileId, { range: 'bytes=-6' })).text()).toBe(pdf.slice(-6));
    expect((await content(tina, fileId, { range: `bytes=${pdf.length}-` })).status).toBe(416);
  });

  it("does not even tell that somebody else's part exists", async () => {
    const { fileId } = await file(tina, 'Tune_Bb.pdf');
    const refused = await content(alma, fileId);
    expect(refused.status).toBe(404);
    const unknown = await content(alma, '00000000-0000-4000-8000-000000000000');
    expect(await errorOf(refused)).toEqual(await errorOf(unknown));
  });

  it('never serves what a link points to outside the folder', async () => {
    const { fileId } = await file(lea, 'Leak_Concert.cho');
    const response = await content(lea, fileId);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await response.text()).not.toContain('Not for the band');
  });

  it.each([
    ['..', '/files/..%2F..%2Fetc%2Fpasswd/content'],
    ['a path for an id', '/files/%2Fetc%2Fpasswd/content'],
    ['SQL', "/files/'; drop table drive_file; --/content"],
    ['a NUL', '/files/%00/content'],
  ])('answers %s in the address with a code', async (_, path) => {
    const response = await platform.call(path, { token: tina });
    expect([400, 404]).toContain(response.status);
    await errorOf(response);
  });

  it('tells a device that asks for a revision of before that it is gone', async () => {
    const { fileId, revision } = await file(tina, 'Tune_Bb.pdf');
    expect((await content(tina, fileId, {}, `?revision=${revision}`)).status).toBe(200);
    const gone = await content(tina, fileId, {}, `?revision=${revision - 1}`);
    expect(gone.status).toBe(409);
    expect(await errorOf(gone)).toMatchObject({ code: 'revision_gone', retryable: true });
    expect((await content(tina, fileId, {}, '?revision=two')).status).toBe(400);
  });

  it.each(['/library', '/auth/me', '/sync/status', '/sync/operations', '/sync/channels', '/files/x/content'])(
    'asks for a sign-in at %s',
    async (path) => {
      expect(await errorOf(await platform.call(path))).toMatchObject({ code: 'token_missing' });
      const forged = await platform.call(path, { token: `${tina.slice(0, -4)}AAAA` });
      expect(forged.status).toBe(401);
      expect(await errorOf(forged)).toMatchObject({ code: 'token_invalid' });
    },
  );

  it('refuses wrong credentials without saying which, and bodies that do not fit', async () => {
    const signIn = (body: unknown): Promise<Response> => platform.call('/auth/sign-in', { method: 'POST', body });
    const [wrong, unknown] = await Promise.all([
      signIn({ login: 'tina', password: 'nonsense' }),
      signIn({ login: 'nobody', password: 'nonsense' }),
    ]);
    expect(wrong.status).toBe(401);
    expect(await errorOf(wrong)).toEqual(await errorOf(unknown));
    expect(await errorOf(await signIn({ login: 'tina' }))).toMatchObject({ code: 'request_invalid' });
    const broken = await fetch(`${platform.url}/auth/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"login":',
    });
    expect(broken.status).toBe(400);
    expect(await errorOf(broken)).toMatchObject({ code: 'request_invalid' });
  });

  it('signs out for good', async () => {
    const token = await platform.signIn('pete');
    expect((await platform.call('/auth/sign-out', { token, method: 'POST' })).status).toBe(204);
    expect(await errorOf(await platform.call('/auth/me', { token }))).toMatchObject({ code: 'session_ended' });
  });

  it('takes the cookie for reading, and for writing only from a page of its own', async () => {
    const response = await platform.call('/auth/sign-in', {
      method: 'POST',
      body: { login: 'pete', password: 'rehearsal' },
    });
    const cookie = response.headers.get('set-cookie')!.split(';')[0]!;
    expect(response.headers.get('set-cookie')).toMatch(/HttpOnly/);
    expect((await platform.call('/auth/me', { headers: { cookie } })).status).toBe(200);
    const trigger = { method: 'POST', body: { bandId: platform.bandId } };
    expect((await platform.call('/sync/trigger', { ...trigger, headers: { cookie } })).status).toBe(403);
    expect(
      (await platform.call('/sync/trigger', { ...trigger, headers: { cookie, 'x-soleil-client': 'stage' } })).status,
    ).toBe(202);
  });

  /** Neither the start nor a sign-in looks the band over, or is about to. */
  const isQuiet = async (): Promise<boolean> => {
    const open = await platform.app
      .get(DataSource)
      .query<unknown[]>(`select from sync_operation where kind <> 'file' and status in ('pending', 'failed', 'running')`);
    return open.length === 0;
  };

  it('queues a look at the folder, and lets who asked for it see how it goes', async () => {
    // What is asked for joins a look that waits, and that has another cause.
    while (!(await isQuiet())) await new Promise((resolve) => setImmediate(resolve));
    const { operationId } = (await (
      await platform.call('/sync/trigger', { token: tina, method: 'POST', body: { bandId: platform.bandId } })
    ).json()) as {
      operationId: string;
    };
    const operation = async (): Promise<{ status: string; kind: string }> =>
      (await (await platform.call(`/sync/operations/${operationId}`, { token: tina })).json()) as never;
    while ((await operation()).status !== 'completed') await new Promise((resolve) => setImmediate(resolve));
    expect(await operation()).toMatchObject({ kind: 'band', mode: 'delta', cause: 'request' });
  });

  it('keeps full syncs and the list of operations for leaders', async () => {
    const full = { method: 'POST', body: { bandId: platform.bandId, mode: 'full' } };
    expect(await errorOf(await platform.call('/sync/trigger', { token: tina, ...full }))).toMatchObject({
      code: 'leader_only',
    });
    expect(await errorOf(await platform.call('/sync/operations', { token: tina }))).toMatchObject({ code: 'leader_only' });
    expect((await platform.call('/sync/trigger', { token: lea, ...full })).status).toBe(202);
    const { operations } = (await (await platform.call('/sync/operations?limit=3', { token: lea })).json()) as {
      operations: Record<string, unknown>[];
    };
    expect(operations).toHaveLength(3);
    expect(Object.keys(operations[0]!)).not.toContain('leaseToken');
    expect(await errorOf(await platform.call('/sync/operations?limit=many', { token: lea }))).toMatchObject({
      code: 'request_invalid',
    });
    expect(
      await errorOf(await platform.call('/sync/operations/00000000-0000-4000-8000-000000000000', { token: lea })),
    ).toMatchObject({ code: 'operation_unknown' });
    expect(
      await errorOf(await platform.call('/sync/trigger', { token: tina, method: 'POST', body: { bandId: 'other' } })),
    ).toMatchObject({ code: 'band_forbidden' });
  });

  it('shows members their own devices and leaders the whole band', async () => {
    const status = (await (await platform.call('/sync/status', { token: tina })).json()) as {
      bands: { files: number }[];
      sequencer: unknown;
    };
    expect(status.bands[0]!.files).toBe(8);
    expect(status.sequencer).toMatchObject({ inOffice: true });
  });

  it('describes itself, and tells that it is alive and ready', async () => {
    const description = (await (await platform.call('/api/docs-json')).json()) as { paths: Record<string, unknown> };
    for (const path of [
      '/auth/sign-in',
      '/library',
      '/files/{fileId}/content',
      '/sync/status',
      '/sync/trigger',
      '/sync/operations',
      '/sync/operations/{id}',
      '/sync/operations/{id}/items',
      '/sync/operations/{id}/cancel',
      '/sync/operations/{id}/retry',
      '/sync/operations/{id}/discard',
      '/sync/bands/{bandId}/settings',
      '/sync/messages/{id}/delivery',
      '/health/live',
      '/health/ready',
    ]) {
      expect(Object.keys(description.paths)).toContain(path);
    }
    expect((await platform.call('/api/docs')).status).toBe(200);
    expect(await (await platform.call('/health/live')).json()).toEqual({ live: true });
    expect(await (await platform.call('/health/ready')).json()).toMatchObject({ ready: true });
  });

  it('fault: nothing is numbered; it is alive, and not ready, and says which stage stopped since when', async () => {
    const brake = platform.app.get(DataSource).createQueryRunner();
    let answer: Response;
    try {
      await brake.startTransaction();
      await brake.query('select from sync_leader for update');
      do answer = await platform.call('/health/ready');
      while (answer.ok);
      expect((await platform.call('/health/live')).status).toBe(200);
    } finally {
      await brake.rollbackTransaction();
      await brake.release();
    }
    expect(answer.status).toBe(503);
    const { ready, checks } = (await answer.json()) as { ready: boolean; checks: { delivery: { since: string } } };
    expect({ ready, checks }).toMatchObject({ ready: false, checks: { delivery: { ok: false, stage: 'sequencer' } } });
    expect(Date.parse(checks.delivery.since)).not.toBeNaN();
    do answer = await platform.call('/health/ready');
    while (!answer.ok);
  });

  it('answers an address it does not know with a code', async () => {
    expect(await errorOf(await platform.call('/nowhere'))).toMatchObject({ code: 'route_unknown' });
  });
});
