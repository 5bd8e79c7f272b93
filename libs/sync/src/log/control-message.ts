/** Types that begin like this are Sync's own: publishers may not use them, and devices are never sent them. */
const reservedPrefix = 'sync.';

/** Whether a message speaks to the nodes and not to devices. Its offset is covered by `from` and `to` of frames all the same. */
export const isControl = ({ type }: { type: string }): boolean => type.startsWith(reservedPrefix);
