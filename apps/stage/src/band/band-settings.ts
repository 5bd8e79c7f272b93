export type SameName = 'all' | 'newest';

/** How a band is synchronised, as GET /sync/bands/:bandId/settings tells it; null is the default. */
export interface Settings {
  intervalSeconds: number | null;
  /** The endings of files' names. */
  fileTypes: string[] | null;
  largestBytes: number | null;
  /** Of several files with one name in one folder. */
  sameName: SameName | null;
  operationsPerMinute: number | null;
}

export interface SettingsView {
  settings: Settings;
  defaults: Settings;
}

/** Types of files as musicians think of them. */
export const typeGroups = [
  { label: 'Chord charts', types: ['cho', 'chopro', 'chordpro', 'crd', 'pro'] },
  { label: 'Sheet music (PDF)', types: ['pdf'] },
  { label: 'Recordings', types: ['mp3', 'm4a', 'ogg', 'wav', 'flac'] },
  { label: 'Setlists', types: ['setlist'] },
] as const;

export type GroupLabel = (typeof typeGroups)[number]['label'];

/** The settings as they stand in the form. */
export interface Filled {
  minutes: string;
  megabytes: string;
  filesPerMinute: string;
  isEveryType: boolean;
  groups: GroupLabel[];
  sameName: SameName;
}

const secondsPerMinute = 60;
const bytesPerMegabyte = 1_000_000;

export function filledFrom(settings: Settings): Filled {
  const { intervalSeconds, fileTypes, largestBytes, sameName, operationsPerMinute } = settings;
  const isWanted = ({ types }: (typeof typeGroups)[number]): boolean =>
    types.some((type) => fileTypes?.includes(type) ?? true);
  return {
    minutes: asText(intervalSeconds, secondsPerMinute),
    megabytes: asText(largestBytes, bytesPerMegabyte),
    filesPerMinute: asText(operationsPerMinute, 1),
    isEveryType: fileTypes === null,
    groups: typeGroups.filter(isWanted).map(({ label }) => label),
    sameName: sameName ?? 'all',
  };
}

/** What somebody changed in the form, and nothing else: what another leader changes meanwhile stays. */
export function changesIn(filled: Filled, settings: Settings): Partial<Settings> {
  const before = filledFrom(settings);
  const changes: Partial<Settings> = {};
  if (filled.minutes !== before.minutes) changes.intervalSeconds = asNumber(filled.minutes, secondsPerMinute);
  if (filled.megabytes !== before.megabytes) changes.largestBytes = asNumber(filled.megabytes, bytesPerMegabyte);
  if (filled.filesPerMinute !== before.filesPerMinute) changes.operationsPerMinute = asNumber(filled.filesPerMinute, 1);
  if (filled.isEveryType !== before.isEveryType || (!filled.isEveryType && String(filled.groups) !== String(before.groups)))
    changes.fileTypes = filled.isEveryType ? null : typesOf(filled.groups, settings.fileTypes);
  if (filled.sameName !== before.sameName) changes.sameName = filled.sameName;
  return changes;
}

/** Types that the form does not know stay. */
function typesOf(groups: readonly GroupLabel[], before: readonly string[] | null): string[] {
  const known = typeGroups.flatMap(({ types }): readonly string[] => types);
  const others = (before ?? []).filter((type) => !known.includes(type));
  return [...typeGroups.filter(({ label }) => groups.includes(label)).flatMap(({ types }) => types), ...others];
}

const asText = (value: number | null, unit: number): string =>
  value === null ? '' : String(Number((value / unit).toFixed(2)));

const asNumber = (text: string, unit: number): number | null => (text === '' ? null : Math.round(Number(text) * unit));
