import type { ChartSummary } from '@soleil/sync-protocol';
import type { ChartParse, ChartWorker } from './chart-worker.js';
import { problems, type Problem } from './problem.js';
import { decodeText, oneLine } from './text.js';

export interface ChartReading {
  problem: Problem | null;
  /** As the chart itself says, `{title}`. */
  title: string | null;
  chart?: ChartSummary;
  /** What went wrong in the parser, for the log. */
  fault?: string;
}

/** No chart is longer. */
const lineLimit = 5000;
const chordLimit = 200;

/** Reads ChordPro. What the parser refuses is broken; tags it does not know are nobody's business. */
export async function readChart(bytes: Uint8Array, worker: Pick<ChartWorker, 'parse'>): Promise<ChartReading> {
  const text = decodeText(bytes);
  if (text === null)
    return unread(problems.chartBroken('This is not a text file, though its name says that it is a chart.'));
  if (text.trim() === '') return unread(problems.empty());
  if (lineCountExceeds(text, lineLimit)) return unread(problems.tooLarge('The chart has more lines than a song can have.'));

  const parse = await worker.parse(text);
  switch (parse.outcome) {
    case 'rejected':
      return unread(problems.chartBroken(whyRejected(text, parse.line)));
    case 'timed_out':
      return unread(problems.parseFailed('It took too long to read the chart.'), 'the time limit passed');
    case 'failed':
      return unread(problems.parseFailed(), parse.message);
    case 'parsed':
      return parse.lines === 0
        ? unread(problems.empty('The chart holds no line of words or chords yet.'))
        : summarize(parse);
  }
}

function summarize(parse: Extract<ChartParse, { outcome: 'parsed' }>): ChartReading {
  const all = (name: string): string[] => {
    const value = Object.hasOwn(parse.metadata, name) ? parse.metadata[name] : undefined;
    return [value ?? []]
      .flat()
      .map((item) => oneLine(String(item)))
      .filter(Boolean);
  };
  const first = (name: string): string | null => all(name)[0] ?? null;
  const people = (name: string): string | null => oneLine(all(name).join(', ')) || null;
  const chords = [...new Set(parse.chords.map((chord) => oneLine(chord, 40)).filter(Boolean))];
  return {
    problem: null,
    title: first('title'),
    chart: {
      artist: people('artist'),
      composer: people('composer'),
      key: first('key'),
      tempo: numberWithin(first('tempo'), 1, 1000),
      time: /^\d{1,2}\/\d{1,2}$/.exec(first('time') ?? '')?.[0] ?? null,
      year: first('year'),
      capo: numberWithin(first('capo'), 0, 24),
      chords: chords.slice(0, chordLimit),
      lines: parse.lines,
    },
  };
}

/** `120`, `120 bpm`, `112.5`; what is no number, or no sensible one, is left unsaid. */
function numberWithin(text: string | null, lowest: number, highest: number): number | null {
  const value = Number.parseFloat(text ?? '');
  return value >= lowest && value <= highest ? value : null;
}

/** The parser notices an open brace at the start of the line below, so both lines are looked at. */
function whyRejected(text: string, line: number): string {
  const lines = text.split(/\r\n|\r|\n/);
  for (const number of [line, line - 1]) {
    const content = lines[number - 1] ?? '';
    if (content.lastIndexOf('{') > content.lastIndexOf('}')) return `Line ${number}: a { is not closed by a }.`;
    if (content.lastIndexOf('[') > content.lastIndexOf(']')) return `Line ${number}: a [ is not closed by a ].`;
  }
  return `Line ${line} is not ChordPro.`;
}

function lineCountExceeds(text: string, limit: number): boolean {
  return text.split(/\r\n|\r|\n/, limit + 1).length > limit;
}

function unread(problem: Problem, fault?: string): ChartReading {
  return { problem, title: null, fault };
}
