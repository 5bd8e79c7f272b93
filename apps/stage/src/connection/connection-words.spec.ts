import { connectionWords } from './connection-words.js';

const now = 1_800_000_000_000;
const facts = { state: 'live' as const, retryAt: null, error: null, sessionEnded: false, lastSyncedAt: now };
const error = (code: string) => ({
  code,
  message: 'Too many of your devices are connected.',
  remedy: 'Close one.',
  retryable: false,
});

describe('the words for a connection', () => {
  it('say live only when it is', () => {
    expect(connectionWords(facts, now).word).toBe('Live');
    expect(connectionWords({ ...facts, state: 'catching_up' }, now).word).toBe('Catching up');
    expect(connectionWords({ ...facts, sessionEnded: true }, now).word).toBe('Signed out');
  });

  it('say how old the library is when offline', () => {
    expect(connectionWords({ ...facts, state: 'offline', lastSyncedAt: now - 720_000 }, now)).toMatchObject({
      word: 'Offline',
      detail: 'last synced 12 min ago',
    });
    expect(connectionWords({ ...facts, state: 'offline', lastSyncedAt: null }, now)).toMatchObject({
      detail: 'not synced yet',
    });
  });

  it('count the seconds to the next attempt', () => {
    expect(connectionWords({ ...facts, state: 'waiting', retryAt: now + 4_100 }, now)).toMatchObject({
      word: 'Reconnecting',
      detail: 'in 5 s',
      action: 'connect',
    });
    expect(connectionWords({ ...facts, state: 'waiting', retryAt: now - 1 }, now).detail).toBeNull();
  });

  it('tell apart an ended session and a refusal with another remedy', () => {
    expect(connectionWords({ ...facts, state: 'refused', error: error('session_ended') }, now)).toMatchObject({
      word: 'Signed out',
      action: 'sign_in',
    });
    expect(connectionWords({ ...facts, state: 'refused', error: error('too_many_devices') }, now)).toMatchObject({
      word: 'Disconnected',
      sentence: 'Too many of your devices are connected. Close one.',
      action: 'connect',
    });
  });
});
