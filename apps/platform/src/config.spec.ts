import { readConfig } from './config.js';

const consent = { GOOGLE_CLIENT_ID: 'id', GOOGLE_CLIENT_SECRET: 'secret', GOOGLE_REFRESH_TOKEN: 'token' };

it('reads nothing of Google where nothing is said of it', () => {
  expect(readConfig({}).google).toBeUndefined();
  expect(readConfig({ GOOGLE_KEY_FILE: '' }).google).toBeUndefined();
});

it('reads as whom Google Drive is asked, and the folder of the demo band', () => {
  expect(readConfig({ GOOGLE_KEY_FILE: '/keys/band.json' }).google).toEqual({
    credentials: { serviceAccount: '/keys/band.json' },
    folder: undefined,
  });
  expect(readConfig({ ...consent, GOOGLE_FOLDER_ID: 'f', GOOGLE_DRIVE_ID: 'd' }).google).toEqual({
    credentials: { clientId: 'id', clientSecret: 'secret', refreshToken: 'token' },
    folder: { folderId: 'f', driveId: 'd' },
  });
});

it.each([
  [{ GOOGLE_FOLDER_ID: 'f' }, 'GOOGLE_FOLDER_ID'],
  [{ ...consent, GOOGLE_DRIVE_ID: 'd' }, 'GOOGLE_DRIVE_ID'],
  [{ ...consent, GOOGLE_KEY_FILE: 'key.json' }, 'GOOGLE_KEY_FILE'],
  [{ ...consent, GOOGLE_REFRESH_TOKEN: '' }, 'GOOGLE_REFRESH_TOKEN'],
  [{ PUBLIC_URL: 'band.example' }, 'PUBLIC_URL'],
  [{ MAX_FILE_MB: 'much' }, 'MAX_FILE_MB'],
])('names the variable in %j that does not fit', (env, name) => {
  expect(() => readConfig(env)).toThrow(name);
});
