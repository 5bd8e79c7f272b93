import { ChartLanes } from './chart-lanes.js';

/** As many chords as keep the parser busy for seconds. */
const enormous = Array.from({ length: 100_000 }, (_, n) => `[X${n}]`).join('');

it('lets no chart of the usual size wait for an enormous one', async () => {
  const lanes = new ChartLanes(5_000);
  await lanes.parse('');
  const ended: string[] = [];
  const all = [lanes.parse(enormous), lanes.parse('[C]la\n'.repeat(100))].map(async (parse, place) => {
    const { outcome } = await parse;
    ended.push(place === 0 ? 'enormous' : outcome);
  });
  await all[1];
  expect(ended).toEqual(['parsed']);
  await lanes.close();
  await all[0];
});

it('ends what waits on either thread when it is closed', async () => {
  const lanes = new ChartLanes(10_000);
  const all = Promise.all([lanes.parse(enormous), lanes.parse('[C]la\n'.repeat(2_000))]);
  await lanes.close();
  expect((await all).map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
});
