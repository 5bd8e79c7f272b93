import { useEffect, type ReactNode } from 'react';
import { ConnectionChip } from '../connection/connection-chip.js';
import { useBand } from '../library/use-library.js';
import { hrefOf } from '../route.js';
import { Icon, Mark } from './icons.js';
import { Menu } from './menu.js';

/** On every page: where one is, how the connection is, and the menu. */
export function Header({
  title,
  kicker,
  back,
}: {
  title: string;
  kicker?: ReactNode;
  back?: { href: string; label: string };
}): ReactNode {
  const band = useBand();
  useEffect(() => {
    document.title = title === 'SOLEil' ? title : `${title} – SOLEil`;
  }, [title]);
  return (
    <header className="top">
      {back === undefined ? (
        <a className="brand" href={hrefOf({ page: 'library' })} aria-label="SOLEil, library">
          <Mark />
        </a>
      ) : (
        <a className="icon-button" href={back.href} aria-label={back.label}>
          <Icon name="back" />
        </a>
      )}
      <div className="top-title">
        {kicker != null && <p className="kicker">{kicker}</p>}
        <h1 id="title" tabIndex={-1}>
          {title}
        </h1>
      </div>
      {band?.role === 'leader' && (
        <a className="top-link" href={hrefOf({ page: 'band' })}>
          Band
        </a>
      )}
      <ConnectionChip />
      <Menu />
    </header>
  );
}
