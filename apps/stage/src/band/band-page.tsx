import type { FileUpdate } from '@soleil/sync-protocol';
import type { ReactNode } from 'react';
import { Header } from '../design/header.js';
import { Icon } from '../design/icons.js';
import { relativeTime } from '../design/relative-time.js';
import { useNow } from '../design/use-now.js';
import { whyNot } from '../library/file-words.js';
import { useBand, useBandFiles } from '../library/use-library.js';
import { hrefOf } from '../route.js';
import { Devices } from './devices.js';
import { pausedWords } from './operation-words.js';
import { Operations } from './operations.js';
import { Settings } from './settings.js';
import { SyncButtons } from './sync-buttons.js';
import { useBandStatus, type BandStatus } from './use-band-status.js';

/** For the leader: does everybody have the new version, and what is Sync doing? */
export function BandPage(): ReactNode {
  const band = useBand();
  return (
    <>
      <Header
        title="Band and sync"
        kicker={band?.name}
        back={{ href: hrefOf({ page: 'library' }), label: 'Back to the library' }}
      />
      <main className="page band">
        {band?.role === 'leader' ? (
          <ForLeaders key={band.bandId} bandId={band.bandId} />
        ) : (
          <p className="empty">This page is for the leaders of a band.</p>
        )}
      </main>
    </>
  );
}

function ForLeaders({ bandId }: { bandId: string }): ReactNode {
  const { told, problem, refresh } = useBandStatus();
  const files = useBandFiles();
  const now = useNow(2_000);
  const paused = told?.bands.find((band) => band.bandId === bandId)?.paused ?? null;
  return (
    <>
      {problem !== null && (
        <p className="notice" role="status">
          <Icon name="off" />
          <span>
            {problem} {told !== null && 'What you see is as it was told last.'}
          </span>
        </p>
      )}
      <div className="band-head">
        <Figures told={told} bandId={bandId} now={now} />
        <SyncButtons bandId={bandId} done={refresh} />
      </div>
      {paused !== null && (
        <p className="notice" role="status">
          <Icon name="waiting" />
          <span>{pausedWords(paused, now)}</span>
        </p>
      )}
      <Operations bandId={bandId} files={files} />
      <Devices connections={told?.connections ?? []} bandId={bandId} now={now} />
      <Unreadable files={files} />
      <Settings bandId={bandId} />
    </>
  );
}

function Figures({ told, bandId, now }: { told: BandStatus | null; bandId: string; now: number }): ReactNode {
  if (told === null) return <p className="quiet">Asking …</p>;
  const { sequencer, bands } = told;
  const band = bands.find((each) => each.bandId === bandId);
  const at = (status: string): number => band?.operations[status] ?? 0;
  const open = at('pending') + at('running') + at('failed');
  return (
    <dl className="figures">
      <div>
        <dt>Files</dt>
        <dd>{band?.files ?? '–'}</dd>
      </div>
      <div>
        <dt>Last sync</dt>
        <dd>{band?.lastSyncAt ? relativeTime(Date.parse(band.lastSyncAt), now) : 'never'}</dd>
      </div>
      <div>
        <dt>To do</dt>
        <dd>{open === 0 ? 'nothing' : open}</dd>
      </div>
      <div>
        <dt>Delivery</dt>
        <dd className={sequencer.inOffice ? '' : 'figure-bad'}>
          {sequencer.inOffice ? 'running' : `paused, ${sequencer.waiting} waiting`}
        </dd>
      </div>
      {at('dead') > 0 && (
        <div>
          <dt>Need attention</dt>
          <dd className="figure-bad">{at('dead')}</dd>
        </div>
      )}
    </dl>
  );
}

function Unreadable({ files }: { files: readonly FileUpdate[] }): ReactNode {
  const broken = files.filter(({ content }) => !content.readable && content.kind !== 'placeholder');
  return (
    <section aria-labelledby="unreadable">
      <h2 id="unreadable">
        Unreadable files <span className="quiet">{broken.length}</span>
      </h2>
      {broken.length === 0 ? (
        <p className="quiet">None. Everything in the folder can be opened.</p>
      ) : (
        <ul className="rows">
          {broken.map((file) => (
            <li key={file.fileId}>
              <Icon name="warning" />
              <span className="row-words">
                <span>{file.path}</span>
                <span className="quiet">{whyNot(file)}</span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
