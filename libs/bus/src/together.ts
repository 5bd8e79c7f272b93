import DataLoader from 'dataloader';
import { gathering } from './gathering.js';
import { settledOrLate } from './late.js';

/** An operation does some five pieces of work one after another, and a musician waits for it. */
const longestGatherMs = 10;

/**
 * Makes one piece of work of many asks: what is asked while one is on its way goes into the next together, in the order of
 * the asks, and the more there were in one, the longer the next one gathers, as long as it has room. So a statement and a
 * commit are paid once for many, and who asks alone waits for nobody. Where it fails, each is tried alone: one that cannot be done harms no other.
 * Work that takes longer than a second keeps nobody else: its connection may be dead.
 *
 * @param work answers in the order of the asks; an Error among the answers fails its own ask only
 * @param atMost asks in one piece of work
 * @param isHopeless which errors would befall each alone as well
 */
export function together<Ask, Answer>(
  work: (asks: readonly Ask[]) => Promise<readonly (Answer | Error)[]>,
  { atMost, isHopeless = () => false }: { atMost: number; isHopeless?: (error: unknown) => boolean },
): (ask: Ask) => Promise<Answer> {
  let onItsWay: Promise<unknown> = Promise.resolve();
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let haveEnough: () => void = () => undefined;
  const gather = async (many: number): Promise<void> => {
    if (waiting < atMost) await gathering(many, longestGatherMs, new Promise((resolve) => (haveEnough = resolve)));
  };
  const loader = new DataLoader<Ask, Answer>(
    async (asks) => {
      waiting -= asks.length;
      const all = work(asks);
      onItsWay = settledOrLate(all).then(() => gather(asks.length));
      try {
        return await all;
      } catch (error) {
        // Thrown, and not given as answers: an error may come from where `instanceof` does not know it.
        if (asks.length === 1 || isHopeless(error)) throw error;
        return Promise.all(
          asks.map((ask) =>
            work([ask]).then(
              ([answer]) => answer!,
              (own: Error) => own,
            ),
          ),
        );
      }
    },
    {
      cache: false,
      maxBatchSize: atMost,
      batchScheduleFn: (dispatch) => {
        turn = turn.then(dispatch).then(() => onItsWay);
      },
    },
  );
  return (ask) => {
    waiting += 1;
    if (waiting >= atMost) haveEnough();
    return loader.load(ask);
  };
}
