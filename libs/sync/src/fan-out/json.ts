import type { Message, MessagesFrame } from '@soleil/sync-protocol';

/** A message as it goes over the wire. */
interface Written {
  json: string;
  bytes: number;
}

const known = new WeakMap<Message, Written>();

/** What a message weighs on the wire, in bytes of JSON. */
export const bytesOf = (message: Message): number => written(message).bytes;

/** A frame as JSON, put together from its messages: each is written once, however many frames it is in. */
export function jsonOf({ messages, ...around }: MessagesFrame): string {
  const envelope = JSON.stringify({ ...around, messages: [] });
  return `${envelope.slice(0, -']}'.length)}${messages.map((message) => written(message).json).join()}]}`;
}

function written(message: Message): Written {
  let own = known.get(message);
  if (!own) {
    const json = JSON.stringify(message);
    known.set(message, (own = { json, bytes: Buffer.byteLength(json) }));
  }
  return own;
}
