import { SyncProvider } from '@soleil/sync-react';
import { fileKey } from '@soleil/sync-protocol';
import { useEffect, type ReactNode } from 'react';
import { BandPage } from './band/band-page.js';
import { prepareViews } from './library/heavy.js';
import { LibraryPage } from './library/library-page.js';
import { SongPage } from './library/song-page.js';
import { Toasts } from './library/toasts.js';
import { useFileRows, useReporting, useStocking } from './library/use-library.js';
import type { SetlistPlace } from './route.js';
import type { Session } from './session/session.js';
import { SignInPage } from './session/sign-in-page.js';
import type { Stand } from './session/stand.js';
import { SessionContext, StandContext, useObservable } from './session/use-session.js';
import { SetlistPage } from './setlist/setlist-page.js';
import { useRoute } from './use-route.js';

export function App({ session }: { session: Session }): ReactNode {
  const state = useObservable(session.state);
  return (
    <SessionContext value={session}>
      {state.name === 'starting' && <p className="empty starting">Tuning …</p>}
      {state.name === 'signed_out' && <SignInPage notice={state.notice} />}
      {state.name === 'signed_in' && <SignedIn stand={state.stand} />}
    </SessionContext>
  );
}

function SignedIn({ stand }: { stand: Stand }): ReactNode {
  return (
    <StandContext value={stand}>
      <SyncProvider client={stand.client}>
        <Pages />
        <Toasts />
        <Background />
      </SyncProvider>
    </StandContext>
  );
}

function Pages(): ReactNode {
  const route = useRoute();
  switch (route.page) {
    case 'library':
      return <LibraryPage />;
    case 'band':
      return <BandPage />;
    case 'setlist':
      return <SetlistPage key={route.fileId} fileId={route.fileId} />;
    case 'song':
      return (
        <SongPage key={`${route.songId} ${route.place?.index}`} songId={route.songId} fileId={null} place={route.place} />
      );
    case 'file':
      return <FilePage fileId={route.fileId} place={route.place} />;
  }
}

/** A link to a file opens its song, or its setlist. One that is gone keeps the song it belonged to. */
function FilePage({ fileId, place }: { fileId: string; place: SetlistPlace | null }): ReactNode {
  const file = useFileRows().get(fileKey(fileId))?.data;
  if (file?.content.kind === 'setlist') return <SetlistPage key={fileId} fileId={fileId} />;
  return <SongPage key={`${fileId} ${place?.index}`} songId={file?.content.songId ?? ''} fileId={fileId} place={place} />;
}

/** What happens while nobody asks for it. */
function Background(): ReactNode {
  useStocking();
  useReporting();
  useEffect(() => {
    const prepare = (): void => void prepareViews().catch(() => undefined);
    const timer = setTimeout(prepare, 1_500);
    return () => clearTimeout(timer);
  }, []);
  return null;
}
