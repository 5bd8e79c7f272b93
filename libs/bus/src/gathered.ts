import DataLoader from 'dataloader';
import { gathering } from './gathering.js';
import { settledOrLate } from './late.js';

const longestGatherMs = 25;

/**
 * Makes one question of many: what is asked while an answer is on its way goes into the next one together, and the more
 * there were in one, the longer the next one gathers. So a thousand devices that come back at once cost a few dozen
 * queries instead of thousands, and are served sooner for it; who asks alone waits for nobody. What is asked is read after
 * it was asked. An answer that takes longer than a second keeps nobody else: its connection may be dead.
 *
 * @param read answers in any order; what it leaves out is answered by undefined
 */
export function gathered<Key, Answer>(
  read: (keys: readonly Key[]) => Promise<Map<Key, Answer>>,
): (key: Key) => Promise<Answer | undefined> {
  let onItsWay: Promise<unknown> = Promise.resolve();
  const loader = new DataLoader<Key, Answer | undefined>(
    async (keys) => {
      const reading = read([...new Set(keys)]);
      onItsWay = settledOrLate(reading).then(() => gathering(keys.length, longestGatherMs));
      const answers = await reading;
      return keys.map((key) => answers.get(key));
    },
    { cache: false, batchScheduleFn: (dispatch) => void onItsWay.then(dispatch) },
  );
  return (key) => loader.load(key);
}
