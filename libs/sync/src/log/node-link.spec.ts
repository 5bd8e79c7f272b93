import type { DataSource } from 'typeorm';
import { NodeLink } from './node-link.js';

/** A database that answers a notification when, and as, a test says. */
function slowDatabase() {
  const sent: { payload: string; answer: () => void; fail: () => void }[] = [];
  const database = {
    createQueryRunner: () => ({
      query: (_: string, [, payload]: string[]) =>
        new Promise<void>((resolve, reject) => {
          sent.push({ payload: payload!, answer: resolve, fail: () => reject(new Error('away')) });
        }),
      release: () => Promise.resolve(),
    }),
  } as unknown as DataSource;
  return { database, sent };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what could not be signalled at the time is not signalled later, and takes no memory until then', async () => {
  const { database, sent } = slowDatabase();
  const link = new NodeLink(database, 'node-1');
  const signal = (n: number): void =>
    link.tellSignal({ channel: 'band:b1', type: 'page', key: `${n}`, data: 'x'.repeat(4_000) });
  for (let n = 0; n < 50; n++) signal(n);
  await turn();
  sent[0]!.fail();
  await turn();
  signal(50);
  await turn();
  expect(sent).toHaveLength(2);
  expect(JSON.parse(sent[1]!.payload)).toMatchObject({ news: { kind: 'signals', signals: [{ key: '50' }] } });
  sent[1]!.answer();
  await link.stop();
});
