/** Injects the resolved options of SyncModule. */
export const SYNC_OPTIONS = Symbol('SYNC_OPTIONS');
