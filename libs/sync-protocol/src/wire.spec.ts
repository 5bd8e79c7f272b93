import { createHash } from 'node:crypto';
import { z } from 'zod';
import { codes } from './codes.js';
import { down, up } from './events.js';
import { handshake, protocolVersion } from './handshake.js';
import { fileUpdate } from './library.js';
import { limits } from './limits.js';
import { wireError } from './sync-error.js';

/** SHA-256 of everything below, for version 1. */
const knownWire = 'b51233cc3a06d4874216ead1c09178e2fedc90ba87a5d40960fcb893c943a284';

const schemaOf = (schema: z.ZodType): unknown => z.toJSONSchema(schema, { io: 'input' });

/** All that two programs have to agree on. Texts for people are not part of it. */
function wire(): unknown {
  return {
    protocolVersion,
    limits,
    handshake: schemaOf(handshake),
    up: Object.entries(up).map(([event, { frame, answer }]) => [event, schemaOf(frame), schemaOf(answer)]),
    down: Object.entries(down).map(([event, frame]) => [event, schemaOf(frame)]),
    error: schemaOf(wireError),
    fileUpdate: schemaOf(fileUpdate),
    codes: Object.entries(codes).map(([code, { status, retryable, reconnect }]) => [code, status, retryable, reconnect]),
  };
}

/** In which order events, fields and alternatives are written down is no part of the wire. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical).sort(byText);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(byText)
      .map(([name, field]) => [name, canonical(field)]),
  );
};
const byText = (one: unknown, other: unknown): number => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);

test('the wire is the one that this version describes', () => {
  const found = createHash('sha256')
    .update(JSON.stringify(canonical(wire())))
    .digest('hex');
  if (found === knownWire) return;
  throw new Error(
    `The wire has changed. If devices in the field would be harmed, raise protocolVersion; if not, say in CHANGELOG.md why. ` +
      `Describe the change in PROTOCOL.md. Then set knownWire in this file to '${found}'. (A new version of zod may write the ` +
      `same schemas in other words: then only the hash changes.)`,
  );
});
