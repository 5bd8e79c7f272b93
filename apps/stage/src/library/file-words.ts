import type { FileUpdate, Pitch } from '@soleil/sync-protocol';

const pitchNames: Record<Pitch, string> = { Concert: 'Concert', Bb: 'B♭', Eb: 'E♭', F: 'F' };

/** `B♭`, as musicians write it. */
export const pitchName = (pitch: Pitch): string => pitchNames[pitch];

/** What a file is within its song: "B♭ part", "Chart", "Reference recording". */
export function fileLabel({ content, path }: FileUpdate): string {
  switch (content.kind) {
    case 'chart':
      return content.pitch === null || content.pitch === 'Concert' ? 'Chart' : `${pitchName(content.pitch)} chart`;
    case 'part':
      return content.pitch === null ? 'Part' : `${pitchName(content.pitch)} part`;
    case 'audio':
      return content.reference ? 'Reference recording' : 'Recording';
    case 'setlist':
      return 'Setlist';
    case 'placeholder':
      return 'Placeholder';
    case 'unknown':
      return fileName(path);
  }
}

/** What to call each of these files beside the others: with its name where two would be called the same. */
export function distinctLabels(files: readonly FileUpdate[]): string[] {
  const labels = files.map(fileLabel);
  return labels.map((label, index) => {
    const isUnique = labels.every((other, place) => place === index || other !== label);
    return isUnique ? label : `${label} (${fileName(files[index]!.path)})`;
  });
}

/** The name without its folders. */
export const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** A file as one names it to somebody: "Amazing Grace – B♭ part". */
export function fileTitle(file: FileUpdate): string {
  const { kind, title } = file.content;
  if (kind === 'unknown') return fileName(file.path);
  return kind === 'setlist' ? `${title} – setlist` : `${title} – ${fileLabel(file)}`;
}

/** Whether there is something to open. */
export const isOpenable = ({ content }: FileUpdate): boolean =>
  content.readable && (content.kind === 'chart' || content.kind === 'part' || content.kind === 'audio');

/** Whether it should open, and does not. A placeholder is none to open: its chart has not been written yet. */
export const isBroken = (file: FileUpdate): boolean => !isOpenable(file) && file.content.kind !== 'placeholder';

/** Whether a device keeps it, to open it without a network. Recordings are played from the network. */
export const isKept = (file: FileUpdate): boolean => isOpenable(file) && file.content.kind !== 'audio';

/** What there is of it, in the words of the library's list. */
export function standing(file: FileUpdate): string {
  if (file.content.kind === 'placeholder') return `${fileLabel(file)}, not written yet`;
  return isOpenable(file) ? fileLabel(file) : `${fileLabel(file)}, cannot be opened`;
}

/** Why a file cannot be opened, in a sentence; null for one that can. */
export function whyNot({ content }: FileUpdate): string | null {
  if (content.kind === 'placeholder') return 'This chart has not been written yet.';
  if (content.readable) return null;
  return content.problem?.reason ?? 'This file cannot be read.';
}
