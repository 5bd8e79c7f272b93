import { deviceWords, latestDevices, memberWords, summary, type DeviceReceipt } from './receipt-words.js';

const now = Date.parse('2026-11-20T20:00:00.000Z');
const at = '2026-11-20T19:57:00.000Z';
const device = (change: Partial<DeviceReceipt> = {}): DeviceReceipt => ({
  deviceId: 'd',
  name: null,
  isConnected: true,
  lastSeenAt: at,
  knowsSince: null,
  hasSince: null,
  ...change,
});
const member = (...devices: DeviceReceipt[]) => ({ userId: 'tina', name: 'Tina', instrument: 'trumpet', devices });

test.each([
  ['has the file', { knowsSince: at, hasSince: at }, 'good', 'Has it', '3 min ago', true],
  ['knows of it and is fetching it', { knowsSince: at }, 'busy', 'Knows of it', 'the file is on its way', false],
  [
    'knows of it and went away',
    { knowsSince: at, isConnected: false },
    'warn',
    'Knows of it',
    'away, last seen 3 min ago',
    false,
  ],
  ['is being told', {}, 'busy', 'Not yet', null, false],
  ['is away', { isConnected: false }, 'warn', 'Not yet', 'away, last seen 3 min ago', false],
])('a device that %s is told from the others', (_, change, tone, state, detail, isThere) => {
  expect(deviceWords(device(change), true, now)).toEqual({ tone, state, detail, isThere });
});

test('what no device keeps is there when a device knows of it', () => {
  expect(deviceWords(device({ knowsSince: at }), false, now)).toMatchObject({ state: 'Knows of it', isThere: true });
});

test('a member has what one of their devices has, and somebody without a device is not forgotten', () => {
  const away = device({ isConnected: false, knowsSince: at, hasSince: at });
  expect(memberWords(member(device({ knowsSince: at }), away), true, now)).toMatchObject({ state: 'Has it' });
  expect(memberWords(member(), true, now)).toMatchObject({ tone: 'quiet', isThere: false });
});

test('of many devices those are named that were here last', () => {
  const devices = [
    device({ deviceId: 'old', isConnected: false, lastSeenAt: '2026-11-01T12:00:00.000Z' }),
    device({ deviceId: 'here' }),
    device({ deviceId: 'recent', isConnected: false }),
    device({ deviceId: 'here too' }),
  ];
  expect(latestDevices(devices, 3).map(({ deviceId }) => deviceId)).toEqual(['here', 'here too', 'recent']);
});

test('the summary counts members, not devices', () => {
  const [has, knows, none] = [
    memberWords(member(device({ knowsSince: at, hasSince: at }), device()), true, now),
    memberWords(member(device({ knowsSince: at })), true, now),
    memberWords(member(), true, now),
  ];
  expect(summary([has, knows, none], true)).toBe('1 of 3 has it');
  expect(summary([knows, none], true)).toBe('0 of 2 have it');
  expect(summary([has, has], true)).toBe('All 2 have it');
  expect(summary([has], true)).toBe('1 of 1 has it');
  expect(summary([has, none], false)).toBe('1 of 2 knows of it');
});
