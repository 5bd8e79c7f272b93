import { messagesFrame, pace } from '@soleil/sync-protocol';
import fc from 'fast-check';
import { isMessagesFrame, isPace } from './frame-check.js';

const offset = fc.integer({ min: 0, max: 30 });
const oddity = fc.constantFrom<unknown>(undefined, null, -1, 1.5, '7', {}, [], true);
const often = (usual: fc.Arbitrary<unknown>) => fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: oddity });

const anyMessage = fc.record(
  {
    offset: often(offset),
    id: often(fc.string()),
    type: often(fc.string({ minLength: 1, maxLength: 8 })),
    key: often(fc.string({ minLength: 1, maxLength: 8 })),
    data: fc.jsonValue(),
    at: often(fc.string()),
  },
  { requiredKeys: ['offset', 'id', 'type', 'at', 'data'] },
);

const anyFrame = fc.record(
  {
    channel: fc.constantFrom<unknown>('band:b1', 'system', null, 7),
    epoch: often(fc.string({ maxLength: 8 })),
    from: often(offset),
    to: often(offset),
    messages: often(fc.array(anyMessage, { maxLength: 3 })),
    more: often(fc.constant(true)),
  },
  { requiredKeys: ['channel', 'epoch', 'from', 'to', 'messages'] },
);

test('takes what the schema takes, as long as the messages ascend within the frame', () => {
  fc.assert(
    fc.property(anyFrame, (frame) => {
      const parsed = messagesFrame.safeParse(frame);
      const inOrder =
        parsed.success &&
        parsed.data.messages.every(
          (message, index, all) =>
            message.offset >= parsed.data.from &&
            message.offset <= parsed.data.to &&
            (index === 0 || message.offset > all[index - 1]!.offset),
        );
      expect(isMessagesFrame(frame)).toBe(inOrder);
    }),
    { numRuns: 3_000 },
  );
});

test('takes a new field of a newer server, which the schema of this version would not', () => {
  const frame = { channel: 'system', epoch: 'e', from: 1, to: 1, messages: [], hint: 1 };
  expect(messagesFrame.safeParse(frame).success).toBe(false);
  expect(isMessagesFrame(frame)).toBe(true);
});

test('takes the pace that the schema takes', () => {
  fc.assert(
    fc.property(fc.record({ ackEveryMs: often(offset), ackEveryBytes: often(offset) }), (frame) => {
      expect(isPace(frame)).toBe(pace.safeParse(frame).success);
    }),
  );
});
