import type { Membership } from '@soleil/bus';
import { bandChannel, systemChannel, userChannel } from '@soleil/sync-protocol';

/** Devices of one user. */
const devicesPerUser = 5;

/** Somebody with devices: what they play in which bands, and so what they follow. */
export interface Player {
  userId: string;
  memberships: Membership[];
  channels: string[];
}

/** As many players as `devices` devices need. Everybody is in one band, every other one in a second. */
export function playersFor(devices: number): Player[] {
  return Array.from({ length: Math.ceil(devices / devicesPerUser) }, (_, nth) => {
    const userId = `u${nth}`;
    const playsBb = nth % 2 === 0;
    const instrument = playsBb ? 'trumpet' : 'alto sax';
    const bands = playsBb ? ['b1', 'b2'] : ['b1'];
    return {
      userId,
      memberships: bands.map((bandId) => ({ bandId, role: 'member', instrument })),
      channels: [
        systemChannel,
        userChannel(userId),
        bandChannel('b1', playsBb ? 'Bb' : 'Eb'),
        ...bands.map((bandId) => bandChannel(bandId)),
      ],
    };
  });
}

/** Whose device the `nth` is. */
export const playerOf = (players: readonly Player[], nth: number): Player => players[nth % players.length]!;

/** Channels to publish into, as often as each is named: mostly those that many follow. */
export function stages(players: readonly Player[]): string[] {
  const many = [systemChannel, bandChannel('b1')];
  const half = [bandChannel('b1', 'Bb'), bandChannel('b1', 'Eb'), bandChannel('b2')];
  const own = players.slice(0, 4).map(({ userId }) => userChannel(userId));
  return [...many, ...many, ...many, ...many, ...half, ...own];
}
