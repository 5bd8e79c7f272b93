import { useConnection } from '@soleil/sync-react';
import type { ReactNode } from 'react';
import { isKept } from '../library/file-words.js';
import { useBandFiles } from '../library/use-library.js';
import { Icon } from '../design/icons.js';
import { Popover } from '../design/popover.js';
import { useNow } from '../design/use-now.js';
import { relativeTime } from '../design/relative-time.js';
import { useObservable, useSession, useStand } from '../session/use-session.js';
import { connectionWords, type ConnectionWords } from './connection-words.js';

/** How the connection is, always in sight; opened, what that means and what can be done. */
export function ConnectionChip(): ReactNode {
  const stand = useStand();
  const session = useSession();
  const connection = useConnection();
  const { sessionEnded } = useObservable(stand.state);
  const now = useNow(connection.state === 'waiting' ? 500 : 10_000);
  const words = connectionWords(
    { ...connection, sessionEnded, lastSyncedAt: stand.lastSyncedAt() },
    Math.max(now, connection.since),
  );
  const { tone, word, detail, sentence, action } = words;
  return (
    <>
      <Popover
        className={`connection connection-${tone}`}
        label={`Connection: ${word}${detail === null ? '' : `, ${detail}`}`}
        button={<ChipFace words={words} />}
      >
        {(close) => (
          <>
            <p className="popover-title">{word}</p>
            <p>{sentence}</p>
            <DeviceShelf />
            <LastSynced at={stand.lastSyncedAt()} now={now} tone={tone} />
            {action === 'connect' && (
              <button type="button" className="button" onClick={() => (stand.client.connect(), close())}>
                Connect now
              </button>
            )}
            {action === 'sign_in' && (
              <button type="button" className="button button-primary" onClick={() => void session.signInAgain()}>
                Sign in again
              </button>
            )}
          </>
        )}
      </Popover>
      <span className="visually-hidden" role="status">
        {word}
      </span>
    </>
  );
}

function ChipFace({ words: { tone, word, detail } }: { words: ConnectionWords }): ReactNode {
  return (
    <>
      <Icon name={tone} />
      <span className="connection-words" data-testid="connection">
        <span className="connection-word">{word}</span>
        {detail !== null && <span className="connection-detail">{detail}</span>}
      </span>
    </>
  );
}

function LastSynced({ at, now, tone }: { at: number | null; now: number; tone: ConnectionWords['tone'] }): ReactNode {
  if (tone === 'live' || at === null) return null;
  return <p className="quiet">Last synced {relativeTime(at, now)}.</p>;
}

/** What would open here without a network. */
function DeviceShelf(): ReactNode {
  const { shelf } = useStand();
  const held = useObservable(shelf.held);
  const files = useBandFiles().filter(isKept);
  const here = files.filter(({ hash }) => held.has(hash)).length;
  if (files.length === 0) return null;
  return (
    <p className="quiet">
      {here === files.length
        ? `All ${files.length} charts and parts are on this device.`
        : `${here} of ${files.length} charts and parts are on this device.`}
    </p>
  );
}
