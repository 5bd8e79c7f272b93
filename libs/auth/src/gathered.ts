import DataLoader from 'dataloader';

/**
 * Makes one question of many: what is asked while an answer is on its way goes into the next one together. So a thousand
 * devices that come back at once cost a handful of queries; who asks alone waits for nobody. What is asked is read after it
 * was asked. An answer that takes longer than a second keeps nobody else: its connection may be dead.
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
      onItsWay = settledOrLate(reading);
      const answers = await reading;
      return keys.map((key) => answers.get(key));
    },
    { cache: false, batchScheduleFn: (dispatch) => void onItsWay.then(dispatch) },
  );
  return (key) => loader.load(key);
}

const lateMs = 1_000;

async function settledOrLate(reading: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, lateMs)));
  await Promise.race([reading, late]).catch(() => undefined);
  clearTimeout(timer);
}
