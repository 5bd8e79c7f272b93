import { storeContract } from '../test/store-contract.js';
import { MemoryStore } from './memory-store.js';

test.each(storeContract.filter(({ durable }) => durable === undefined))('memory: $title', async ({ run }) => {
  await run(async () => new MemoryStore());
});

test('two memory stores are two devices', () => {
  expect(new MemoryStore().deviceId).not.toBe(new MemoryStore().deviceId);
});
