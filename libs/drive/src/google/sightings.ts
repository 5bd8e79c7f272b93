import { problemOf } from '../file-problem.js';
import type { FileProblem, KnownFile, Sighting } from '../provider.js';
import type { Content, Contents } from './contents.js';
import type { GoogleApi } from './google-api.js';
import { fingerprintOf, sameFingerprint, type FileItem } from './item.js';
import type { Placed, Tree } from './tree.js';

/** What a path holds: of a shortcut, what the file holds that it leads to. */
interface Found {
  content: Content;
  /** What the bytes are of. */
  source: FileItem;
  linkTarget: string | null;
}

/** Holds a tree against what the change log knows, and says what differs. */
export class Sightings {
  /** What could not be read. */
  readonly unread: FileItem[] = [];
  private readonly paths: Map<string, Placed>;
  private readonly pathById: Map<string, string>;
  private readonly knownById: Map<string, KnownFile>;

  /** @param touched the ids of which something was heard: a shortcut's target among them is asked after again */
  constructor(
    tree: Tree,
    private readonly known: readonly KnownFile[],
    private readonly touched: ReadonlySet<string>,
    private readonly contents: Contents,
    private readonly api: GoogleApi,
  ) {
    this.paths = tree.paths();
    this.pathById = new Map([...this.paths].map(([path, { item }]) => [item.id, path]));
    this.knownById = new Map(known.flatMap((file) => (file.sourceId ? [[file.sourceId, file] as const] : [])));
  }

  async all(): Promise<Sighting[]> {
    const knownAt = new Map(this.known.map((file) => [file.path, file]));
    const seen = await Promise.all([...this.paths].map(([path, placed]) => this.at(path, placed, knownAt.get(path))));
    const left = this.known.filter(({ path }) => !this.paths.has(path));
    return [...seen.flatMap((sighting) => sighting ?? []), ...left.map(({ path }) => ({ seen: 'gone' as const, path }))];
  }

  /** Null where nothing differs. */
  private async at(
    path: string,
    { item, hasNewerNamesake }: Placed,
    known: KnownFile | undefined,
  ): Promise<Sighting | null> {
    const found = item.kind === 'shortcut' ? await this.along(item) : await this.contentOf(item);
    if (found === null) {
      this.unread.push(item);
      return this.unreadAt(path, item, hasNewerNamesake);
    }
    const { content, source, linkTarget } = found;
    const { sha256, md5, version } = source;
    const fingerprint = fingerprintOf({ ...item, sha256, md5, version });
    if (content.problem?.code === 'file_too_large') fingerprint['limit'] = this.contents.limit;
    const isSame =
      known?.sourceId === item.id &&
      known.hash === content.hash &&
      known.linkTarget === linkTarget &&
      known.hasNewerNamesake === hasNewerNamesake &&
      known.problem?.code === content.problem?.code &&
      sameFingerprint(fingerprint, known.fingerprint);
    if (isSame) return null;
    const { modifiedAt } = source;
    return {
      seen: 'present',
      path,
      sourceId: item.id,
      fingerprint,
      ...content,
      modifiedAt,
      linkTarget,
      hasNewerNamesake,
    };
  }

  /**
   * What could not be read has what it had, until Drive tells more of it; but it is where it is now: another file may be at its path of
   * before, and each stays the file that it was.
   */
  private unreadAt(path: string, item: FileItem, hasNewerNamesake: boolean): Sighting | null {
    const known = this.knownById.get(item.id);
    if (!known || known.path === path) return null;
    const { size, hash, problem, modifiedAt } = known;
    const { name, parent, createdAt } = item;
    return {
      seen: 'present',
      path,
      sourceId: item.id,
      size,
      hash,
      problem,
      modifiedAt,
      fingerprint: { ...known.fingerprint, name, parent, createdAt, modifiedAt: item.modifiedAt },
      linkTarget: known.linkTarget === null ? null : (this.pathById.get(item.targetId) ?? null),
      hasNewerNamesake,
    };
  }

  private async contentOf(item: FileItem): Promise<Found | null> {
    const content = await this.contents.of(item, this.knownById.get(item.id));
    return content && { content, source: item, linkTarget: null };
  }

  private async along(shortcut: FileItem): Promise<Found | null> {
    const { targetId } = shortcut;
    const linkTarget = this.pathById.get(targetId);
    const target = linkTarget === undefined ? undefined : this.paths.get(linkTarget)?.item;
    if (target && target.kind !== 'shortcut') {
      const found = await this.contentOf(target);
      return found && { ...found, linkTarget: found.content.problem ? null : linkTarget! };
    }
    const problem = await this.whyNot(shortcut);
    return { content: { size: 0, hash: '', problem }, source: shortcut, linkTarget: null };
  }

  private async whyNot({ id, targetId }: FileItem): Promise<FileProblem> {
    const known = this.knownById.get(id);
    const isKnown = known?.problem?.code.startsWith('link_') && known.fingerprint['targetId'] === targetId;
    if (known?.problem && isKnown && !this.touched.has(targetId)) return known.problem;
    const target = targetId === '' ? null : await this.api.file(targetId);
    return problemOf(target && !target.trashed ? 'link_leaves_folder' : 'link_broken');
  }
}
