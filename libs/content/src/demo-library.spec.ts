import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contentSummary } from '@soleil/sync-protocol';
import { ContentSettings } from './content-options.js';
import { Parser } from './parser.js';

const root = join(import.meta.dirname, '../../../library');
const paths = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
  .sort();

const faults: unknown[] = [];
const parser = new Parser(ContentSettings.from({}), (_, fault) => faults.push(fault));
afterAll(() => parser.close());

const read = (path: string) => {
  const bytes = readFileSync(join(root, path));
  const file = {
    fileId: path,
    bandId: 'demo',
    path,
    size: bytes.length,
    hash: '',
    mimeType: '',
    revision: 1,
    modifiedAt: '',
    problem: null,
    hasNewerNamesake: false,
  };
  return parser.parse(file, async (limit) => bytes.subarray(0, limit));
};

describe('the demo library', () => {
  it('is readable, every file of it', async () => {
    for (const path of paths) {
      const summary = await read(path);
      expect({ path, ...contentSummary.parse(summary) }).toEqual({ path, ...summary, readable: true, problem: null });
    }
    expect(faults).toEqual([]);
  });

  it('has charts with chords, parts with pages and setlists of songs that it has', async () => {
    const summaries = await Promise.all(paths.map(read));
    const songs = new Set(summaries.map(({ songId }) => songId));
    for (const { kind, title, chart, pages, setlist } of summaries) {
      if (kind === 'chart')
        expect({ title, hasChords: (chart?.chords.length ?? 0) > 2, key: chart?.key }).toEqual({
          title,
          hasChords: true,
          key: expect.any(String),
        });
      if (kind === 'part') expect({ title, pages }).toEqual({ title, pages: expect.any(Number) });
      const strangers = setlist?.sets.flatMap(({ entries }) => entries.filter(({ songId }) => !songs.has(songId)));
      expect(strangers ?? []).toEqual([]);
    }
  });
});
