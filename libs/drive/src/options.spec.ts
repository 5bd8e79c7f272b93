import { driveDefaults, driveOptions } from './options.js';

it('fills in the defaults', () => {
  expect(driveOptions()).toEqual(driveDefaults);
  expect(driveOptions({ settleMs: 50, maxFileBytes: undefined })).toEqual({ ...driveDefaults, settleMs: 50 });
});

it.each([
  [{ settleMs: 0 }, 'settleMs'],
  [{ maxFileBytes: 1.5 }, 'maxFileBytes'],
  [{ providers: ['folder'] }, 'providers.0'],
  [{ settelMs: 100 }, 'settelMs'],
])('names the option in %j that does not fit', (given, name) => {
  expect(() => driveOptions(given as object)).toThrow(
    expect.objectContaining({ code: 'options_invalid', message: expect.stringContaining(name) }),
  );
});
