import type { ContentSummary, FileUpdate } from '@soleil/sync-protocol';

/** A file as a device knows it; what a test cares about is given. */
export function file(fileId: string, content: Partial<ContentSummary> = {}, rest: Partial<FileUpdate> = {}): FileUpdate {
  return {
    fileId,
    bandId: 'b1',
    path: `${fileId}.cho`,
    size: 100,
    hash: `hash-${fileId}`,
    mimeType: 'text/plain',
    revision: 1,
    modifiedAt: '2026-11-01T12:00:00.000Z',
    content: {
      kind: 'chart',
      songId: 'amazing-grace',
      title: 'Amazing Grace',
      pitch: null,
      audience: null,
      readable: true,
      problem: null,
      ...content,
    },
    ...rest,
  };
}

export const chartOf = (facts: Partial<NonNullable<ContentSummary['chart']>>): NonNullable<ContentSummary['chart']> => ({
  artist: null,
  composer: null,
  key: null,
  tempo: null,
  time: null,
  year: null,
  capo: null,
  chords: [],
  lines: 1,
  ...facts,
});
