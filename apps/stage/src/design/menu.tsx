import { useState, type ReactNode } from 'react';
import { useBand } from '../library/use-library.js';
import { hrefOf } from '../route.js';
import { ApiError } from '../session/api.js';
import { useObservable, useSession, useStand } from '../session/use-session.js';
import { Icon } from './icons.js';
import { Popover } from './popover.js';
import { theme, toggleTheme } from './theme.js';

/** Who is signed in, which band, light or dark, out. */
export function Menu(): ReactNode {
  const { user } = useObservable(useStand().state);
  const band = useBand();
  return (
    <Popover className="menu" label="Menu" button={<Icon name="menu" />}>
      {(close) => (
        <>
          <p className="popover-title">{user.name}</p>
          {band !== null && (
            <p className="quiet">
              {band.instrument}
              {band.role === 'leader' && ', leader'} · {band.name}
            </p>
          )}
          <BandSwitcher close={close} />
          {band?.role === 'leader' && (
            <a className="menu-item" href={hrefOf({ page: 'band' })} onClick={close}>
              <Icon name="device" /> Band and sync
            </a>
          )}
          <ThemeToggle />
          <SignOut />
        </>
      )}
    </Popover>
  );
}

function BandSwitcher({ close }: { close: () => void }): ReactNode {
  const stand = useStand();
  const { bands } = useObservable(stand.state);
  const current = useBand();
  if (bands.length < 2) return null;
  const choose = (bandId: string): void => {
    stand.showBand(bandId);
    location.assign(hrefOf({ page: 'library' }));
    close();
  };
  return (
    <fieldset className="bands">
      <legend>Band</legend>
      {bands.map(({ bandId, name, instrument }) => (
        <label key={bandId} className="menu-item">
          <input type="radio" name="band" checked={bandId === current?.bandId} onChange={() => choose(bandId)} />
          <span>
            {name} <span className="quiet">{instrument}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function ThemeToggle(): ReactNode {
  const isDark = useObservable(theme) === 'dark';
  return (
    <button type="button" className="menu-item" onClick={toggleTheme}>
      <Icon name={isDark ? 'sun' : 'moon'} /> {isDark ? 'Light for the day' : 'Dark for the stage'}
    </button>
  );
}

function SignOut(): ReactNode {
  const session = useSession();
  const [problem, setProblem] = useState<string | null>(null);
  const leave = async (): Promise<void> => {
    try {
      await session.signOut();
      location.assign(hrefOf({ page: 'library' }));
    } catch (error) {
      setProblem(
        error instanceof ApiError && !error.isUnreachable
          ? error.error.message
          : 'Signing out needs a connection. You are still signed in.',
      );
    }
  };
  return (
    <>
      <button type="button" className="menu-item" onClick={() => void leave()}>
        <Icon name="person" /> Sign out
      </button>
      {problem !== null && (
        <p role="alert" className="problem">
          {problem}
        </p>
      )}
    </>
  );
}
