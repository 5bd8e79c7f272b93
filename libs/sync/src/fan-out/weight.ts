import type { Message, MessagesFrame } from '@soleil/sync-protocol';

const known = new WeakMap<Message, number>();

/** What a message weighs on the wire, in bytes of JSON. Counted once, however many readers it goes to. */
export function bytesOf(message: Message): number {
  let bytes = known.get(message);
  if (bytes === undefined) known.set(message, (bytes = Buffer.byteLength(JSON.stringify(message))));
  return bytes;
}

/** What a frame weighs on the wire, in bytes of JSON. */
export function frameBytes({ messages, ...around }: MessagesFrame): number {
  const commas = Math.max(messages.length - 1, 0);
  const envelope = Buffer.byteLength(JSON.stringify({ ...around, messages: [] }));
  return messages.reduce((sum, message) => sum + bytesOf(message), envelope + commas);
}
