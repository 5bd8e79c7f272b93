import { startPlatform, type TestPlatform } from './support/platform.js';

describe('probes', () => {
  let platform: TestPlatform;

  beforeAll(async () => {
    platform = await startPlatform({ withCable: true, sync: { canaryMs: 100 } });
  });
  afterAll(() => platform.close());

  const readyIs = async (status: number): Promise<unknown> => {
    for (;;) {
      const answer = await platform.call('/health/ready');
      const body: unknown = await answer.json();
      if (answer.status === status) return body;
    }
  };
  const live = async (): Promise<unknown> => {
    const answer = await platform.call('/health/live');
    return { status: answer.status, body: await answer.json() };
  };
  const alive = { status: 200, body: { live: true } };

  it('fault: the database is gone; the process is alive all the same, not ready as long as that lasts, and ready again by itself', async () => {
    await readyIs(200);
    platform.cable!.pull();
    expect(await live()).toEqual(alive);
    expect(await readyIs(503)).toMatchObject({ ready: false, checks: { delivery: { ok: false, stage: 'database' } } });
    expect(await live()).toEqual(alive);
    platform.cable!.plugIn();
    await readyIs(200);
    expect(await live()).toEqual(alive);
  });
});
