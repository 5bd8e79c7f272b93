export { SyncProvider, useSyncClient } from './provider.js';
export type { RecentChange } from './recent-changes.js';
export { useChannel, useFollow } from './use-channel.js';
export { useConnection } from './use-connection.js';
export { useRecentChanges } from './use-recent-changes.js';
export { useRows } from './use-rows.js';
export { useSignals } from './use-signals.js';
