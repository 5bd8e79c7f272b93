import type { FileUpdate, Pitch } from '@soleil/sync-protocol';
import { useMemo, useRef, type ReactNode } from 'react';
import { useRemembered } from '../design/use-remembered.js';
import type { FileBytes } from '../library/use-file-bytes.js';
import { useReadingPitches } from '../library/use-library.js';
import { ChartTools } from './chart-tools.js';
import { decodeText } from './decode-text.js';
import { SheetBody } from './sheet-body.js';
import { readSheet, type Sheet } from './sheet.js';
import { semitonesBetween } from './transposition.js';
import { sizes, useArrangement } from './use-arrangement.js';

/** A chord chart, in the key and the size the player wants. */
export function ChartView({ file, shown, isFresh }: { file: FileUpdate; shown: FileBytes; isFresh: boolean }): ReactNode {
  const text = useMemo(() => decodeText(shown.bytes), [shown.bytes]);
  const [size, setSize] = useRemembered('soleil.chart.size', sizes.usual);
  const [isFit, setFit] = useRemembered('soleil.chart.fit', false);
  const [moved, setMoved] = useRemembered(`soleil.chart.moved.${file.fileId}`, 0);
  const { pitch, options, setPitch } = useReading(file);
  const semitones = moved + semitonesBetween(file.content.pitch ?? 'Concert', pitch);
  const sheet = useMemo(() => read(text, semitones), [text, semitones]);
  const element = useRef<HTMLDivElement>(null);
  useArrangement(element, { size, isFit, content: sheet });
  return (
    <>
      <ChartTools
        sheetKey={'key' in sheet ? sheet.key : null}
        moved={moved}
        move={setMoved}
        pitch={pitch}
        pitches={options}
        read={setPitch}
        size={size}
        resize={(next) => (setFit(false), setSize(next))}
        isFit={isFit}
        fit={setFit}
        facts={file.content.chart ?? null}
      />
      <div className="sheet" ref={element} lang="">
        {isFresh && <span className="flash" key={shown.hash} />}
        {'sections' in sheet ? <SheetBody sections={sheet.sections} /> : <Unread text={text} reason={sheet.reason} />}
      </div>
    </>
  );
}

/** What pitch the chart is read in: as chosen last where that makes sense for this chart, else as it is written. */
function useReading(file: FileUpdate): { pitch: Pitch; options: Pitch[]; setPitch: (pitch: Pitch) => void } {
  const [chosen, setPitch] = useRemembered<Pitch | null>('soleil.chart.pitch', null);
  const own = useReadingPitches();
  const written = file.content.pitch ?? 'Concert';
  const options = [...new Set<Pitch>(['Concert', written, ...own])];
  return { pitch: chosen !== null && options.includes(chosen) ? chosen : written, options, setPitch };
}

function read(text: string, semitones: number): Sheet | { reason: string } {
  try {
    return readSheet(text, semitones);
  } catch {
    return { reason: 'The chords of this chart could not be read. This is its text as it is.' };
  }
}

function Unread({ text, reason }: { text: string; reason: string }): ReactNode {
  return (
    <>
      <p className="remark">{reason}</p>
      <pre className="literal">{text}</pre>
    </>
  );
}
