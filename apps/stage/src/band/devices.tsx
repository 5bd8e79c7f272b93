import type { ReactNode } from 'react';
import { Icon } from '../design/icons.js';
import { relativeTime } from '../design/relative-time.js';
import type { Connected } from './use-band-status.js';

/** Who is connected, and whether they have what was sent to them. */
export function Devices({
  connections,
  bandId,
  now,
}: {
  connections: readonly Connected[];
  bandId: string;
  now: number;
}): ReactNode {
  const own = connections.filter(({ channels }) =>
    channels.some((channel) => channel === `band:${bandId}` || channel.startsWith(`band:${bandId}:`)),
  );
  const behind = own.filter(({ unacknowledgedBytes }) => unacknowledgedBytes > 0).length;
  const people = new Map<string, Connected[]>();
  for (const connection of own) people.set(connection.userId, [...(people.get(connection.userId) ?? []), connection]);
  const sorted = [...people.values()].sort((a, b) => a[0]!.displayName.localeCompare(b[0]!.displayName));
  return (
    <section aria-labelledby="devices">
      <h2 id="devices">
        Connected devices <span className="quiet">{own.length}</span>
      </h2>
      <p className="quiet">{summary(own.length, behind)}</p>
      <ul className="rows">
        {sorted.map((devices) => (
          <li key={devices[0]!.userId}>
            <Icon name="device" />
            <span className="row-words">
              <span>{devices[0]!.displayName}</span>
              <span className="quiet">
                {devices.length === 1 ? '1 device' : `${devices.length} devices`}, connected {since(devices, now)}
              </span>
            </span>
            <DeviceState isBehind={devices.some(({ unacknowledgedBytes }) => unacknowledgedBytes > 0)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function DeviceState({ isBehind }: { isBehind: boolean }): ReactNode {
  return (
    <span className={`state state-${isBehind ? 'busy' : 'good'}`}>
      <Icon name={isBehind ? 'busy' : 'live'} /> {isBehind ? 'Receiving' : 'Up to date'}
    </span>
  );
}

function summary(devices: number, behind: number): string {
  if (devices === 0) return 'Nobody is connected right now. Whoever comes back receives what they missed.';
  if (behind === 0) return 'Every one of them has everything that was sent. Whoever is away receives it when they are back.';
  return `${behind} of them ${behind === 1 ? 'is' : 'are'} still receiving.`;
}

function since(devices: readonly Connected[], now: number): string {
  const first = Math.min(...devices.map(({ connectedAt }) => Date.parse(connectedAt)));
  return relativeTime(first, now);
}
