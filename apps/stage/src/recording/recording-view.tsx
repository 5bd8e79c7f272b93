import type { FileUpdate } from '@soleil/sync-protocol';
import { useRef, useState, type ReactNode } from 'react';
import { FileShelf } from '../library/file-shelf.js';
import { fileLabel } from '../library/file-words.js';

/** A recording to listen to. It is not cut off when another takes its place. */
export function RecordingView({ file }: { file: FileUpdate }): ReactNode {
  const player = useRef<HTMLAudioElement>(null);
  const [playing, setPlaying] = useState(file);
  const [isBusy, setBusy] = useState(false);
  const [hasFailed, setFailed] = useState(false);
  const isOlder = playing.hash !== file.hash;
  if (isOlder && !isBusy) {
    setPlaying(file);
    setFailed(false);
  }
  const retry = (): void => {
    setFailed(false);
    player.current?.load();
  };
  return (
    <div className="recording">
      <h2>{fileLabel(file)}</h2>
      {file.content.reference && <p className="quiet">To learn from: how it should sound.</p>}
      <audio
        ref={player}
        controls
        preload="metadata"
        aria-label={`${file.content.title}, ${fileLabel(file)}`}
        src={FileShelf.address(playing)}
        onPlay={() => setBusy(true)}
        onPause={() => setBusy(false)}
        onEnded={() => setBusy(false)}
        onError={() => (setFailed(true), setBusy(false))}
      />
      {isOlder && (
        <p className="notice">
          <span>There is a newer recording.</span>
          <button type="button" className="button" onClick={() => setBusy(false)}>
            Change to it
          </button>
        </p>
      )}
      {hasFailed && (
        <p className="notice" role="alert">
          <span>The recording cannot be played right now. It needs a connection.</span>
          <button type="button" className="button" onClick={retry}>
            Try again
          </button>
        </p>
      )}
    </div>
  );
}
