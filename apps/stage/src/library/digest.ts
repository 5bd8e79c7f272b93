import type { FileUpdate } from '@soleil/sync-protocol';
import { fileTitle } from './file-words.js';

/** What happened to one file between two looks at the library. */
export interface NewsItem {
  kind: 'new' | 'changed' | 'broken' | 'removed';
  /** As it is now; as it last was when it is removed. */
  file: FileUpdate;
}

type Files = ReadonlyMap<string, FileUpdate>;

/**
 * What a musician would call news about `fileIds`. A file that only moved from one part of the band to another, in the
 * eyes of somebody who sees both, is none; nor is one that was added and removed again.
 */
export function digest(before: Files, after: Files, fileIds: Iterable<string>): NewsItem[] {
  const items: NewsItem[] = [];
  for (const fileId of fileIds) {
    const was = before.get(fileId);
    const is = after.get(fileId);
    if (is === undefined) {
      if (was !== undefined) items.push({ kind: 'removed', file: was });
    } else if (was === undefined) items.push({ kind: 'new', file: is });
    else if (was.hash !== is.hash || was.path !== is.path || was.content.readable !== is.content.readable) {
      items.push({ kind: is.content.readable || !was.content.readable ? 'changed' : 'broken', file: is });
    }
  }
  return items;
}

/** Some sentences at most, however much happened. */
export function sentences(items: readonly NewsItem[]): { text: string; item: NewsItem | null }[] {
  if (items.length <= 3) return items.map((item) => ({ text: sentence(item), item }));
  const counts = (['new', 'changed', 'broken', 'removed'] as const)
    .map((kind) => ({ kind, count: items.filter((item) => item.kind === kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => `${count} ${manyWords[kind]}`);
  return [{ text: `${items.length} files: ${counts.join(', ')}`, item: null }];
}

const manyWords: Record<NewsItem['kind'], string> = { new: 'new', changed: 'changed', broken: 'unreadable', removed: 'removed' };

function sentence({ kind, file }: NewsItem): string {
  const name = fileTitle(file);
  switch (kind) {
    case 'new':
      return `${name} was added`;
    case 'changed':
      return `${name} was ${file.content.kind === 'part' || file.content.kind === 'audio' ? 'replaced' : 'changed'}`;
    case 'broken':
      return `${name} was replaced by something that cannot be read`;
    case 'removed':
      return `${name} was removed`;
  }
}
