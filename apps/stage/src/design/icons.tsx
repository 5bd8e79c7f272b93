import type { ReactNode } from 'react';

const shapes = {
  back: <path d="m14.5 5-7 7 7 7" />,
  forward: <path d="m9.5 5 7 7-7 7" />,
  menu: <path d="M4 7h16M4 12h16M4 17h16" />,
  search: <path d="M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20 20" />,
  close: <path d="m6 6 12 12M18 6 6 18" />,
  sun: (
    <path d="M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4" />
  ),
  moon: <path d="M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10Z" />,
  chart: <path d="M6 3.5h12v17H6zM9 8h2.5M9 12h6M9 16h6M14 8h1" />,
  part: (
    <path d="M9 18.2V6l9-2v12.2M9 18.2a2.2 1.8 0 1 1-4.4 0 2.2 1.8 0 0 1 4.4 0ZM18 16.2a2.2 1.8 0 1 1-4.4 0 2.2 1.8 0 0 1 4.4 0Z" />
  ),
  audio: <path d="M4 10v4M8 7v10M12 4v16M16 8v8M20 10.5v3" />,
  setlist: <path d="M9 6h11M9 12h11M9 18h11M4.5 5v2M4 11h1.5L4 13h1.5M4 17h1.5v2H4" />,
  placeholder: <path d="M6 3.5h8l4 4v13H6Z" strokeDasharray="2.4 2.4" />,
  warning: <path d="M12 4 2.8 20h18.4L12 4ZM12 10v5M12 17.4v.1" />,
  live: <path d="m5 12.5 4.5 4.5L19 7.5" />,
  busy: <path d="M20 12a8 8 0 1 1-2.6-5.9M20 4v4h-4" />,
  off: (
    <path d="M4 4l16 16M8.5 15.5a5 5 0 0 1 6-.7M5.5 12a9.5 9.5 0 0 1 4-2.500M14 9.300A9.5 9.5 0 0 1 18.5 12M2.8 8.500A14 14 0 0 1 6.5 6M10.5 5A14 14 0 0 1 21.2 8.500M12 19v.1" />
  ),
  stopped: <path d="M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8 12h8" />,
  waiting: <path d="M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3.5 2" />,
  fit: <path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5" />,
  person: <path d="M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.500c1-4 4-5.5 7.5-5.500s6.5 1.5 7.5 5.5" />,
  people: (
    <path d="M9 11.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM2.500 19.500c.8-3.500 3.400-5 6.500-5s5.700 1.500 6.500 5M16 11.500a3 3 0 1 0-1.500-5.600M18 14.600c1.900.7 3.100 2.300 3.500 4.900" />
  ),
  device: <path d="M7 2.500h10v19H7zM11 18.500h2" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof shapes;

/** A drawing beside a word; never instead of one, so it says nothing to a screen reader. */
export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">
      {shapes[name]}
    </svg>
  );
}

/** The sun that is a note, rising over a staff. */
export function Mark(): ReactNode {
  return (
    <svg className="brand-mark" viewBox="0 0 48 48" width="32" height="32" aria-hidden="true" focusable="false">
      <g stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" fill="none">
        <path d="M6 31.500h36M6 36h36M6 40.500h36" />
        <path d="M24 7v4M11.5 12.500l2.8 2.800M36.5 12.500l-2.8 2.800M5.5 24.500h3.800M38.7 24.500h3.8" />
      </g>
      <path d="M13.5 28.500a10.5 10.5 0 0 1 21 0z" fill="currentColor" />
    </svg>
  );
}
