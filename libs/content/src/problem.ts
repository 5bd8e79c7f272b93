import { oneLine } from './text.js';

/** Why a file cannot be shown as what its name says; `reason` is one sentence for people. */
export interface Problem {
  code: string;
  reason: string;
}

export const problems = {
  kindUnknown: (): Problem => ({
    code: 'kind_unknown',
    reason:
      'This kind of file is not used here: charts are .cho, parts .pdf, recordings .mp3, .m4a, .ogg, .wav or .flac, setlists .setlist.',
  }),
  nameUnknown: (): Problem => ({
    code: 'name_unknown',
    reason:
      'The name does not say who the file is for: end it with _Bb, _Eb, _F, _Concert or _X, as in "Song Title_Bb.pdf".',
  }),
  empty: (reason = 'The file is empty.'): Problem => ({ code: 'file_empty', reason }),
  tooLarge: (reason: string): Problem => ({ code: 'file_too_large_to_read', reason }),
  chartBroken: (reason: string): Problem => ({ code: 'chordpro_broken', reason }),
  pdfBroken: (reason: string): Problem => ({ code: 'pdf_broken', reason }),
  audioBroken: (): Problem => ({ code: 'audio_broken', reason: 'This is not a recording in a format that players know.' }),
  setlistBroken: (): Problem => ({ code: 'setlist_broken', reason: 'This is not a text file.' }),
  setlistEmpty: (): Problem => ({ code: 'setlist_empty', reason: 'The setlist names no song yet.' }),
  parseFailed: (reason = 'The file could not be read, for a reason that is not known.'): Problem => ({
    code: 'parse_failed',
    reason,
  }),
  /** What Drive says of a file that it does not serve. */
  ofDrive: ({ code, reason }: Problem): Problem => ({ code, reason: oneLine(reason, 300) }),
};
