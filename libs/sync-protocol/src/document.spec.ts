import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { codes, type Code } from './codes.js';
import { down, up } from './events.js';
import { handshake, protocolVersion } from './handshake.js';
import { fileUpdate } from './library.js';
import { limits } from './limits.js';
import { wireError } from './sync-error.js';

const text = readFileSync(join(import.meta.dirname, '..', 'PROTOCOL.md'), 'utf8');

/** The examples by what their first line calls them: "up ack", "up ack answer", "down reset". */
const examples = new Map(
  [...text.matchAll(/^```json ([^\n]+)\n(.*?)^```$/gms)].map(([, name, json]) => [name!, JSON.parse(json!) as unknown]),
);

const expected: [string, z.ZodType][] = [
  ...Object.entries(up).map(([event, { frame }]): [string, z.ZodType] => [`up ${event}`, frame]),
  ...Object.entries(up)
    .filter(([event]) => event !== 'ping')
    .map(([event, { answer }]): [string, z.ZodType] => [`up ${event} answer`, answer]),
  ...Object.entries(down).map(([event, frame]): [string, z.ZodType] => [`down ${event}`, frame]),
  ['handshake', z.strictObject(handshake.shape)],
  ['error', wireError],
  ['refusal', up.subscribe.answer],
];

test.each(expected)('PROTOCOL.md shows an example of "%s", and it fits', (name, schema) => {
  expect(examples.has(name)).toBe(true);
  const example = examples.get(name);
  expect(schema.parse(example)).toEqual(example);
});

test('PROTOCOL.md shows no example of what does not exist', () => {
  expect([...examples.keys()].sort()).toEqual(expected.map(([name]) => name).sort());
});

test('the file in the example is one that Sync could publish', () => {
  const { messages } = down.messages.parse(examples.get('down messages'));
  const { data } = messages.find(({ type }) => type === 'file_update')!;
  expect(fileUpdate.parse(data)).toEqual(data);
});

test.each([...Object.keys(up), ...Object.keys(down)])('PROTOCOL.md has a part on the event "%s"', (event) => {
  expect(text).toMatch(new RegExp(`^### ${event}$`, 'm'));
});

test('the table of codes in PROTOCOL.md is the one that the server uses', () => {
  const yes = (flag: boolean): string => (flag ? 'yes' : 'no');
  const rows = [...text.matchAll(/^\| `(\w+)` \| [^|]+ \| (\d+) \| (yes|no) \| (yes|no) \| (.+) \|$/gm)].map(
    ([, ...cells]) => cells,
  );
  const used = (Object.keys(codes) as Code[]).map((code) => {
    const { status, retryable, reconnect, remedy } = codes[code];
    return [code, String(status), yes(retryable), yes(reconnect), remedy];
  });
  expect(rows).toEqual(used);
});

test('PROTOCOL.md names the version and the limits', () => {
  expect(text).toContain(`version ${protocolVersion}\n`);
  const withCommas = (bytes: number): string => bytes.toLocaleString('en-US');
  for (const bytes of Object.values(limits)) expect(text).toContain(`${withCommas(bytes)} bytes`);
});
