import fc from 'fast-check';
import { connectionEvents, connectionStates, isOpen, nextState, type ConnectionState } from './connection-state.js';

const anyEvents = fc.array(fc.constantFrom(...connectionEvents), { maxLength: 60 });

test('is live only while connected and since the head was reached', () => {
  fc.assert(
    fc.property(anyEvents, (events) => {
      let state: ConnectionState = 'offline';
      let connected = false;
      let atHead = false;
      for (const event of events) {
        const before = state;
        state = nextState(state, event);
        if (event === 'opened' && before === 'connecting') [connected, atHead] = [true, false];
        if (event === 'reached_head') atHead = true;
        if (event === 'fell_behind') atHead = false;
        if (['lost', 'network_lost', 'refused', 'disconnect', 'close'].includes(event)) connected = false;
        if (state === 'live') expect([connected, atHead]).toEqual([true, true]);
        expect(isOpen(state)).toBe(connected && state !== 'closed');
      }
    }),
    { numRuns: 1_000 },
  );
});

test('connects only from a state that is at rest or waits, and never after it was closed', () => {
  for (const state of connectionStates) {
    for (const event of connectionEvents) {
      if (nextState(state, event) === 'connecting' && state !== 'connecting') {
        expect(['offline', 'waiting', 'refused']).toContain(state);
      }
    }
  }
  expect(connectionEvents.map((event) => nextState('closed', event))).toEqual(connectionEvents.map(() => 'closed'));
});

test('leaves a refusal only because somebody asks for it', () => {
  const ways = connectionEvents.filter((event) => nextState('refused', event) !== 'refused');
  expect(ways).toEqual(['connect', 'disconnect', 'close']);
});

test('is closed by close and rests by disconnect from everywhere', () => {
  for (const state of connectionStates) {
    expect(nextState(state, 'close')).toBe('closed');
    expect(nextState(state, 'disconnect')).toBe(state === 'closed' ? 'closed' : 'offline');
  }
});
