import fc from 'fast-check';
import { InOrder } from './in-order.js';

test('runs everything in the order of its coming, whatever has to wait, and in whatever order the waiting ends', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('now', 'later', 'failing', 'throwing'), { maxLength: 20 }),
      fc.infiniteStream(fc.nat({ max: 7 })),
      async (kinds, choices) => {
        const order = new InOrder();
        const ran: string[] = [];
        const waiting: (() => void)[] = [];
        for (const [nth, kind] of kinds.entries()) {
          if (kind === 'now') order.run(() => ran.push(`${nth}`));
          else {
            const awaited = new Promise<void>((resolve, reject) =>
              waiting.push(kind === 'failing' ? () => reject(new Error('no such text')) : resolve),
            );
            const task = () => {
              if (kind === 'throwing') throw new Error('no such frame');
              ran.push(`${nth}`);
            };
            order.runAfter(awaited, task, () => ran.push(`${nth}`));
          }
        }
        for (let choice of choices) {
          if (waiting.length === 0) break;
          choice %= waiting.length;
          waiting.splice(choice, 1)[0]!();
          await Promise.resolve();
        }
        await new Promise(setImmediate);
        expect(ran).toEqual(kinds.map((_, nth) => `${nth}`));
        // Nothing waits any more: at once.
        order.run(() => ran.push('at once'));
        expect(ran.at(-1)).toBe('at once');
      },
    ),
  );
});
