/** A device that stays is noted again this often. */
export const seenEveryMs = 20_000;
/** Devices unseen for this long are none of the band's any more, and runs older than this become one. */
const rosterDays = 30;
/** A device whose store died with its page cannot come back; while the page lives it may, as after a tunnel. */
const fleetingHours = 1;
/** Of one user those that were seen last. */
export const devicesPerUser = 100;

/** SQL: whether the device of row `d` still belongs to the roster. */
export const isOnRoster = `
  d.last_seen_at > statement_timestamp()
    - case when d.durable then interval '${rosterDays} days' else interval '${fleetingHours} hours' end`;

/** SQL: whether the device of row `d` is connected. A node that died could not tell that its devices left. */
export const isConnected = `
  (d.connected and d.last_seen_at > statement_timestamp() - ${3 * seenEveryMs} * interval '1 millisecond')`;

export const rememberedSince = `statement_timestamp() - interval '${rosterDays} days'`;
