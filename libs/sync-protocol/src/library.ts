import { z } from 'zod';

/** How a part is written: `Bb` for trumpet and tenor, `Eb` for alto, `F` for horn, `Concert` for piano. */
export const pitch = z.enum(['Concert', 'Bb', 'Eb', 'F']);

/** Why a file cannot be shown as what its name says. */
export const problem = z.strictObject({ code: z.string(), reason: z.string() });

const chart = z.strictObject({
  artist: z.string().nullable(),
  composer: z.string().nullable(),
  /** As written in the chart, `Bb` or `F#m`. */
  key: z.string().nullable(),
  /** Beats per minute. */
  tempo: z.number().nullable(),
  /** `3/4`. */
  time: z.string().nullable(),
  year: z.string().nullable(),
  capo: z.number().nullable(),
  /** Distinct, in order of appearance. */
  chords: z.array(z.string()),
  lines: z.int(),
});

const setlist = z.strictObject({
  /** ISO 8601 date. */
  date: z.string().nullable(),
  venue: z.string().nullable(),
  note: z.string().nullable(),
  sets: z.array(
    z.strictObject({
      name: z.string().nullable(),
      entries: z.array(z.strictObject({ title: z.string(), songId: z.string(), note: z.string().nullable() })),
    }),
  ),
});

/** What a screen shows of a file without opening it. */
export const contentSummary = z.strictObject({
  kind: z.enum(['chart', 'part', 'audio', 'setlist', 'placeholder', 'unknown']),
  /** Files of one song share it; null for setlists and for names that fit no pattern. */
  songId: z.string().nullable(),
  title: z.string(),
  pitch: pitch.nullable(),
  /** The part of the band it is for; null: everybody. */
  audience: z.string().nullable(),
  /** False: listed, not openable; `problem` says why. */
  readable: z.boolean(),
  problem: problem.nullable(),
  /** For a chart. */
  chart: chart.optional(),
  /** For a setlist. */
  setlist: setlist.optional(),
  /** For a part: its pages, where they could be counted. */
  pages: z.int().nullable().optional(),
  /** For audio: a recording to learn from, not one to play along with. */
  reference: z.boolean().optional(),
});

/** The data of a `file_update`, keyed `file:<fileId>`: the file's whole state. A removed file is `file_removed` with data null. */
export const fileUpdate = z.strictObject({
  fileId: z.string(),
  bandId: z.string(),
  path: z.string(),
  /** Bytes. */
  size: z.int(),
  /** SHA-256 of the bytes, hex: what a device verifies before it says that it has the file. */
  hash: z.string(),
  mimeType: z.string(),
  revision: z.int(),
  modifiedAt: z.string(),
  content: contentSummary,
});

export const fileKey = (fileId: string): string => `file:${fileId}`;

export type Pitch = z.infer<typeof pitch>;
export type ContentSummary = z.infer<typeof contentSummary>;
export type SetlistSummary = z.infer<typeof setlist>;
export type ChartSummary = z.infer<typeof chart>;
export type FileUpdate = z.infer<typeof fileUpdate>;
