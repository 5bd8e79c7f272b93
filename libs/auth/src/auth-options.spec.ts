import { authDefaults, AuthSettings, type AuthOptions } from './auth-options.js';

it('has a default for everything', () => {
  expect(AuthSettings.from({})).toEqual(authDefaults);
  expect(AuthSettings.from({ sessionHours: undefined, clock: undefined })).toEqual(authDefaults);
});

it.each([
  ['sessionHours', { sessionHours: 0 }],
  ['secret', { secret: 'too short' }],
  ['passwordMemoryKiB', { passwordMemoryKiB: 1.5 }],
  ['passwordIterations', { passwordIterations: 0 }],
  ['clock', { clock: 'noon' }],
  ['sessionDays', { sessionDays: 3 }],
])('names %s where it is wrong', (name, options) => {
  expect(() => AuthSettings.from(options as AuthOptions)).toThrow(
    expect.objectContaining({ code: 'auth_options_invalid', message: expect.stringContaining(name) }),
  );
});

it('does not repeat a secret that it refuses', () => {
  expect(() => AuthSettings.from({ secret: 'hush' })).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hush') }),
  );
});
