import type { Role } from '@soleil/bus';

export const demoBand = { slug: 'riverside-six', name: 'The Riverside Six' };

/** Everybody's: the demo is for this machine, and its members are shown on the sign-in page. */
export const demoPassword = 'rehearsal';

export interface DemoMember {
  login: string;
  name: string;
  instrument: string;
  role: Role;
}

export const demoMembers: readonly DemoMember[] = [
  { login: 'tina', name: 'Tina Brass', instrument: 'trumpet', role: 'member' },
  { login: 'alma', name: 'Alma Reed', instrument: 'alto sax', role: 'member' },
  { login: 'pete', name: 'Pete Keys', instrument: 'piano', role: 'member' },
  { login: 'lea', name: 'Lea Baton', instrument: 'voice', role: 'leader' },
];
