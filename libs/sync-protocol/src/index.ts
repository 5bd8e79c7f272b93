export { audienceOf, bandChannel, channelName, systemChannel, userChannel, type ChannelName } from './channel.js';
export { closing, draining, type Closing, type Draining } from './closing.js';
export { codes, isCode, type Code } from './codes.js';
export { down, up, type DownEvent, type UpEvent } from './events.js';
export { handshake, pace, protocolVersion, type Handshake, type Pace, type Pong } from './handshake.js';
export { have, type Have } from './have.js';
export {
  contentSummary,
  fileKey,
  fileUpdate,
  pitch,
  type ChartSummary,
  type ContentSummary,
  type FileUpdate,
  type Pitch,
  type SetlistSummary,
} from './library.js';
export { limits } from './limits.js';
export { message, messagesFrame, type DeflatedFrame, type Message, type MessagesFrame } from './messages.js';
export { position, type Position } from './position.js';
export { reset, revoked, subscribe, type Reset, type Revoked, type SubscribeAnswer } from './subscribe.js';
export { signal, signalName, type Signal, type Signalled } from './signal.js';
export { syncRequest, type SyncRequest } from './sync-request.js';
export { SyncError, wireError, type WireError } from './sync-error.js';
