import type { SetlistSummary } from '@soleil/sync-protocol';
import { songTitle } from './file-name.js';
import { problems, type Problem } from './problem.js';
import { songId } from './song-id.js';
import { decodeText, oneLine } from './text.js';

export interface SetlistReading {
  problem: Problem | null;
  title: string;
  setlist?: SetlistSummary;
}

/** More lines than any evening has; they would also keep the process busy. */
const lineLimit = 2000;

/** A setlist is one message to the band, so it must stay well below a message's limit (256 KiB). */
const summaryBytes = 96 * 1024;

/**
 * Reads a setlist:
 *
 *     # Winter Ball
 *     date: 2026-12-05
 *     venue: Town Hall
 *     note: Black suits; load-in 17:30
 *
 *     ## Set 1
 *     Amazing Grace            | slow, trumpet takes the head
 *     Down by the Riverside
 *
 * `key: value` lines count before the first set or song only. Songs before any `##` make a set without a name. A line that
 * cannot be understood is left out and harms no other. A date may stand in the file's name instead.
 * @param nameTitle the title that the file's name gives, which serves where the file has none
 */
export function readSetlist(bytes: Uint8Array, nameTitle: string): SetlistReading {
  const named = /^(\d{4}-\d\d-\d\d)\s+(.+)$/.exec(nameTitle);
  const text = decodeText(bytes);
  if (text === null) return { problem: problems.setlistBroken(), title: named?.[2] ?? nameTitle };

  const lines = text.split(/\r\n|\r|\n/, lineLimit + 1).map((line) => line.trim());
  if (lines.length > lineLimit) return tooLong(named?.[2] ?? nameTitle);

  let title = '';
  const headers = new Map<string, string>();
  const sets: SetlistSummary['sets'] = [];
  for (const line of lines) {
    const heading = /^(#{1,2})(?!#)(.*)$/.exec(line);
    const header = sets.length === 0 ? /^(\p{L}[\p{L}-]*)\s*:(?:\s(.*))?$/u.exec(line) : null;
    const key = header?.[1]?.toLowerCase();
    if (heading?.[1] === '##') sets.push({ name: oneLine(heading[2] ?? '') || null, entries: [] });
    else if (heading) title ||= oneLine(heading[2] ?? '');
    else if (key && isHeader(key, line)) headers.set(key, headers.get(key) ?? oneLine(header?.[2] ?? '', 500));
    else addEntry(sets, line);
  }

  title ||= named?.[2] ?? nameTitle;
  if (!sets.some((set) => set.entries.length > 0)) return { problem: problems.setlistEmpty(), title };
  const setlist: SetlistSummary = {
    date: calendarDate(headers.get('date')) ?? calendarDate(named?.[1]),
    venue: headers.get('venue') || null,
    note: headers.get('note') || null,
    sets,
  };
  if (Buffer.byteLength(JSON.stringify(setlist)) > summaryBytes) return tooLong(title);
  return { problem: null, title, setlist };
}

function tooLong(title: string): SetlistReading {
  return { problem: problems.tooLarge('The setlist is longer than any gig.'), title };
}

/** Keys that nobody knows are passed over; a song such as `Blues: Part Two` begins with a capital and is none of them. */
function isHeader(key: string, line: string): boolean {
  return ['date', 'venue', 'note'].includes(key) || /^\p{Ll}/u.test(line);
}

function addEntry(sets: SetlistSummary['sets'], line: string): void {
  const bar = line.indexOf('|');
  const title = songTitle(bar < 0 ? line : line.slice(0, bar));
  if (!title || line.startsWith('#')) return;
  if (sets.length === 0) sets.push({ name: null, entries: [] });
  const note = bar < 0 ? '' : oneLine(line.slice(bar + 1), 500);
  sets.at(-1)?.entries.push({ title, songId: songId(title), note: note || null });
}

function calendarDate(text: string | undefined): string | null {
  if (!text || !/^\d{4}-\d\d-\d\d$/.test(text)) return null;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.valueOf()) && date.toISOString().startsWith(text) ? text : null;
}
