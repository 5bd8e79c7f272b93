import { memo, type ReactNode } from 'react';
import type { Section, SheetLine, Syllable } from './sheet.js';

/** Chords over words. */
export const SheetBody = memo(function SheetBody({ sections }: { sections: readonly Section[] }): ReactNode {
  return sections.map((section, index) => (
    <section key={index} className={`sheet-section sheet-${section.kind}`}>
      {section.label !== null && <h3>{section.label}</h3>}
      {section.lines.map((line, number) => (
        <LineOf key={number} line={line} />
      ))}
    </section>
  ));
});

function LineOf({ line }: { line: SheetLine }): ReactNode {
  if (line.kind === 'remark') return <p className="remark">{line.text}</p>;
  if (line.kind === 'literal') return <pre className="literal">{line.text || ' '}</pre>;
  const hasChords = line.words.some((word) => word.some(({ chord }) => chord !== ''));
  const hasLyrics = line.words.some((word) => word.some(({ lyrics }) => lyrics.trim() !== ''));
  return (
    <p className={`line ${hasChords ? '' : 'line-lyrics'} ${hasLyrics ? '' : 'line-chords'}`}>
      {line.words.map((word, index) => (
        <span key={index} className="word">
          {word.map((syllable, number) => (
            <SyllableOf key={number} syllable={syllable} />
          ))}
        </span>
      ))}
    </p>
  );
}

function SyllableOf({ syllable: { chord, lyrics } }: { syllable: Syllable }): ReactNode {
  return (
    <span className="syllable">
      <span className="chord">{chord}</span>
      <span className="lyrics">{lyrics}</span>
    </span>
  );
}
