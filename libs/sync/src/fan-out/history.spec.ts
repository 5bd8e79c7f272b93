import fc from 'fast-check';
import { History } from './history.js';

/** One epoch's name for each offset of a channel, as runs: the model that a history must agree with. */
const anyRuns = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 6 });

function historyOf(runs: readonly number[]): { history: History; epochs: string[] } {
  const history = new History({ head: 0, prunedTo: 0, epochs: [] });
  const epochs: string[] = [];
  runs.forEach((length, term) => {
    // A batch of its own for each message, and so several advances within one epoch.
    for (let n = 0; n < length; n++) {
      epochs.push(`epoch-${term}`);
      history.advance(`epoch-${term}`, epochs.length, epochs.length);
    }
  });
  return { history, epochs };
}

test('knows the epoch of every offset and of the head', () => {
  fc.assert(
    fc.property(anyRuns, (runs) => {
      const { history, epochs } = historyOf(runs);
      expect(history.head).toBe(epochs.length);
      expect(history.epoch).toBe(epochs.at(-1) ?? '');
      expect(epochs.map((_, index) => history.epochAt(index + 1))).toEqual(epochs);
      expect(history.epochAt(0)).toBe(epochs[0] ?? '');
    }),
  );
});

test('continues a position exactly if its epoch is known and reached that far', () => {
  fc.assert(
    fc.property(anyRuns, fc.nat({ max: 8 }), fc.nat({ max: 40 }), (runs, term, offset) => {
      const { history, epochs } = historyOf(runs);
      const epoch = `epoch-${term}`;
      const end = epochs.lastIndexOf(epoch) + 1;
      const expected = offset === 0 ? null : end === 0 ? 'epoch_unknown' : offset > end ? 'position_ahead' : null;
      expect(history.lossOf({ epoch, offset })).toBe(expected);
    }),
  );
});

test('calls a position expired exactly if it lies below what was pruned, also one of an epoch that is forgotten', () => {
  fc.assert(
    fc.property(anyRuns, fc.nat({ max: 40 }), fc.nat({ max: 40 }), (runs, pruned, offset) => {
      const { epochs } = historyOf(runs);
      const prunedTo = Math.min(pruned, epochs.length);
      const known = epochs.flatMap((epoch, index) =>
        epochs.lastIndexOf(epoch) + 1 < prunedTo || epoch === epochs[index - 1] ? [] : [{ epoch, beganAt: index + 1 }],
      );
      const history = new History({ head: epochs.length, prunedTo, epochs: known });
      const expected = offset < prunedTo ? 'position_expired' : offset > epochs.length ? 'position_ahead' : null;
      const epoch = epochs[Math.min(offset, epochs.length) - 1] ?? '';
      if (epoch !== '') expect(history.lossOf({ epoch, offset })).toBe(expected);
    }),
  );
});

test('every position that was ever given out stays good while the channel grows and leaders change', () => {
  fc.assert(
    fc.property(anyRuns, anyRuns, (before, after) => {
      const { history, epochs } = historyOf([...before, ...after]);
      const given = historyOf(before).epochs.map((epoch, index) => ({ epoch, offset: index + 1 }));
      for (const position of given) expect(history.lossOf(position)).toBeNull();
      expect(epochs.length).toBeGreaterThanOrEqual(given.length);
    }),
  );
});

test('is told from a state as it is told step by step', () => {
  fc.assert(
    fc.property(anyRuns, (runs) => {
      const { epochs } = historyOf(runs);
      const starts = epochs.flatMap((epoch, index) => (epoch === epochs[index - 1] ? [] : [{ epoch, beganAt: index + 1 }]));
      const loaded = new History({ head: epochs.length, prunedTo: 0, epochs: starts });
      expect(epochs.map((_, index) => loaded.epochAt(index + 1))).toEqual(epochs);
      expect(loaded.lossOf({ epoch: 'from elsewhere', offset: 1 })).toBe('epoch_unknown');
    }),
  );
});
