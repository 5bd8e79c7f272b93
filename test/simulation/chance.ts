import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { Random } from '../chaos/random.js';

const real = { randomUUID: crypto.randomUUID, randomBytes: crypto.randomBytes, random: Math.random };

/** Ids and epochs come from a seed, as everything else, until what it returns is called. To be imported before product code. */
export function seedChance(seed: number): () => void {
  const random = new Random(seed);
  const bytes = (many: number): Buffer => Buffer.from(Array.from({ length: many }, () => random.between(0, 255)));
  take({
    randomBytes: bytes as typeof crypto.randomBytes,
    randomUUID: () =>
      bytes(16)
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') as crypto.UUID,
    random: () => random.next(),
  });
  return () => take(real);
}

let current = real;
const take = (functions: typeof real): void => void (current = functions);

crypto.randomUUID = (...options) => current.randomUUID(...options);
crypto.randomBytes = (many: number) => current.randomBytes(many);
Math.random = () => current.random();
syncBuiltinESMExports();
