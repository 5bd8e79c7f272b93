/**
 * What a connection can be in, and what happens to it. Every cell of the table is written down: `stay` is a decision too.
 *
 * ```
 *              connect                 opened                  reached_head
 *   offline ─────────────▶ connecting ─────────▶ catching_up ◀──────────────▶ live
 *      ▲  ▲                  │   ▲  │                 │         fell_behind    │
 *      │  │ network_lost     │   │  │                 │                        │
 *      │  └───── waiting ◀───┘   │  │  lost (from connecting, catching_up, live → waiting)
 *      │            └── retry ───┘  └──── refused (from connecting, catching_up, live → refused)
 *      └── disconnect (from all)              └── connect → connecting
 *                                                                     close (from all) → closed
 * ```
 *
 * `live` has one way in: from `catching_up`, by `reached_head`. So nothing is ever called live that is not connected, and
 * whoever sends `reached_head` answers for every wanted channel having arrived at its head.
 */
export type ConnectionState = 'offline' | 'connecting' | 'catching_up' | 'live' | 'waiting' | 'refused' | 'closed';

export type ConnectionEvent =
  /** The application asks for a connection. */
  | 'connect'
  /** The application asks for rest. */
  | 'disconnect'
  /** The server let us in. */
  | 'opened'
  /** Every wanted channel has everything up to the head of its subscription. */
  | 'reached_head'
  /** A wanted channel does not. */
  | 'fell_behind'
  /** The attempt or the connection failed; another attempt may succeed. */
  | 'lost'
  /** The same while the device knows itself to be without network. */
  | 'network_lost'
  /** The device has a network again, or somebody looks at it again. */
  | 'network_back'
  /** It is time for the next attempt. */
  | 'retry'
  /** The server does not want us back as we are. */
  | 'refused'
  | 'close';

const stay = null;

const table: Record<ConnectionState, Record<ConnectionEvent, ConnectionState | typeof stay>> = {
  offline: {
    connect: 'connecting',
    disconnect: stay,
    opened: stay,
    reached_head: stay,
    fell_behind: stay,
    lost: stay,
    network_lost: stay,
    network_back: 'connecting',
    retry: 'connecting',
    refused: stay,
    close: 'closed',
  },
  connecting: {
    connect: stay,
    disconnect: 'offline',
    opened: 'catching_up',
    reached_head: stay,
    fell_behind: stay,
    lost: 'waiting',
    network_lost: 'offline',
    network_back: stay,
    retry: stay,
    refused: 'refused',
    close: 'closed',
  },
  catching_up: {
    connect: stay,
    disconnect: 'offline',
    opened: stay,
    reached_head: 'live',
    fell_behind: stay,
    lost: 'waiting',
    network_lost: 'offline',
    network_back: stay,
    retry: stay,
    refused: 'refused',
    close: 'closed',
  },
  live: {
    connect: stay,
    disconnect: 'offline',
    opened: stay,
    reached_head: stay,
    fell_behind: 'catching_up',
    lost: 'waiting',
    network_lost: 'offline',
    network_back: stay,
    retry: stay,
    refused: 'refused',
    close: 'closed',
  },
  waiting: {
    connect: 'connecting',
    disconnect: 'offline',
    opened: stay,
    reached_head: stay,
    fell_behind: stay,
    lost: stay,
    network_lost: 'offline',
    network_back: 'connecting',
    retry: 'connecting',
    refused: stay,
    close: 'closed',
  },
  refused: {
    connect: 'connecting',
    disconnect: 'offline',
    opened: stay,
    reached_head: stay,
    fell_behind: stay,
    lost: stay,
    network_lost: stay,
    network_back: stay,
    retry: stay,
    refused: stay,
    close: 'closed',
  },
  closed: {
    connect: stay,
    disconnect: stay,
    opened: stay,
    reached_head: stay,
    fell_behind: stay,
    lost: stay,
    network_lost: stay,
    network_back: stay,
    retry: stay,
    refused: stay,
    close: stay,
  },
};

export const connectionStates = Object.keys(table) as ConnectionState[];
export const connectionEvents = Object.keys(table.offline) as ConnectionEvent[];

/** The state after `event`; the same one where the event means nothing. */
export const nextState = (state: ConnectionState, event: ConnectionEvent): ConnectionState => table[state][event] ?? state;

/** Whether the server has let us in and has not gone since. */
export const isOpen = (state: ConnectionState): boolean => state === 'catching_up' || state === 'live';
