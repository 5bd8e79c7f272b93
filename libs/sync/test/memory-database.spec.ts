import { logContract } from './log-contract.js';
import { MemoryDatabase } from './memory-database.js';
import type { Carry } from './memory-log.js';

const atOnce: Carry = async (look) => look();

describe('the log in memory', () => {
  logContract(async () => {
    const database = new MemoryDatabase(Date.now);
    return {
      database: database.asDataSource(atOnce),
      reader: database.log.over(atOnce),
      backup: async () => {
        const restore = database.backup();
        return async () => restore();
      },
      prune: async (channel, horizon) => database.log.prune(channel, horizon),
      remove: async () => undefined,
    };
  });
});
