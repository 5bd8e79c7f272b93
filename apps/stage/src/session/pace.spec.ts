import { Pace } from './pace.js';

/** What is done and rested from, each until the test ends it. */
function hands() {
  const steps: string[] = [];
  let end = (): void => undefined;
  const step = (name: string) => (): Promise<void> => {
    steps.push(name);
    return new Promise((resolve) => (end = resolve));
  };
  const pace = new Pace(step('act'), step('rest'));
  const next = async (): Promise<void> => {
    end();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { pace, steps, next };
}

it('does at once what is asked for, and nothing more', async () => {
  const { pace, steps, next } = hands();
  pace.ask();
  expect(steps).toEqual(['act']);
  await next();
  await next();
  expect(steps).toEqual(['act', 'rest']);
});

it('does what is asked for meanwhile once, after the rest', async () => {
  const { pace, steps, next } = hands();
  pace.ask();
  pace.ask();
  await next();
  pace.ask();
  expect(steps).toEqual(['act', 'rest']);
  await next();
  expect(steps).toEqual(['act', 'rest', 'act']);
  await next();
  await next();
  expect(steps).toEqual(['act', 'rest', 'act', 'rest']);
});

it('begins nothing once it is over', async () => {
  const { pace, steps, next } = hands();
  pace.ask();
  pace.ask();
  pace.stop();
  await next();
  await next();
  expect(steps).toEqual(['act', 'rest']);
});
