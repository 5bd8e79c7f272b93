import { ManualClock } from '../../../../test/fake-drive/clock.js';
import { bandId } from '../../test/drive-rig.js';
import { GoogleRig } from '../../test/google-rig.js';

let google: GoogleRig;
afterEach(() => google.tearDown());

/** The same numbers for the same seed (mulberry32). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  };
}

/** People who do whatever Drive lets them do, and what their folder then holds. */
class People {
  readonly files: string[] = [];
  readonly folders: string[];
  private names = 0;

  constructor(
    private readonly google: GoogleRig,
    private readonly roll: (sides: number) => number,
    /** How many names they come up with before they take the first again. */
    private readonly manyNames = Infinity,
  ) {
    this.folders = [google.folder, google.fake.folder('elsewhere')];
  }

  act(): void {
    const { fake } = this.google;
    const [file, folder, other] = [this.one(this.files), this.one(this.folders.slice(2)), this.one(this.folders)!];
    switch (this.roll(12)) {
      case 0:
        this.folders.push(fake.folder(this.name(), other));
        break;
      case 1:
        if (file) fake.write(file, this.name());
        break;
      case 2:
        if (file) fake.rename(file, `${this.name()}.cho`);
        break;
      case 3:
        if (file) fake.move(file, other);
        break;
      case 4:
        if (file) fake.trash(file);
        break;
      case 5:
        if (file) fake.untrash(file);
        break;
      case 6:
        if (folder) fake.rename(folder, this.name());
        break;
      case 7:
        if (folder && ![...fake.store.upwards(fake.store.get(other))].some(({ id }) => id === folder))
          fake.move(folder, other);
        break;
      case 8:
        if (folder) fake.trash(folder);
        break;
      case 9:
        if (folder) fake.untrash(folder);
        break;
      default:
        this.files.push(this.google.put(`${this.name()}.cho`, this.name(), other));
    }
  }

  /** What Drive holds below the folder: the ids by path, the newest last. */
  present(): Map<string, string[]> {
    const { store } = this.google.fake;
    const present = new Map<string, string[]>();
    for (const id of this.files) {
      const item = store.get(id);
      const way = [...store.upwards(item)];
      const root = way.findIndex((one) => one.id === this.google.folder);
      if (root < 0 || store.isTrashed(item)) continue;
      const path = way.slice(0, root).map(({ name }) => name);
      const named = path.reverse().join('/');
      present.set(named, [...(present.get(named) ?? []), id]);
    }
    const age = (id: string): string => `${store.get(id).modifiedAt} ${id}`;
    for (const ids of present.values()) ids.sort((one, other) => (age(one) < age(other) ? -1 : 1));
    return present;
  }

  private name(): string {
    return `n${(this.names += 1) % this.manyNames}`;
  }

  private one(ids: string[]): string | undefined {
    return ids[this.roll(ids.length || 1)];
  }
}

it.each([1, 2, 3])('mirrors whatever people do in Drive, and keeps every file’s identity (seed %i)', async (seed) => {
  google = await GoogleRig.running();
  const roll = dice(seed);
  google.fake.store.tellsDescendants = seed === 2;
  const people = new People(google, roll);
  const identities = new Map<string, string>();
  for (let round = 0; round < 40; round += 1) {
    for (let acts = roll(8); acts >= 0; acts -= 1) people.act();
    const trouble = roll(10);
    if (trouble === 0) google.fake.changeLog().repeats = 30;
    else if (trouble === 1) google.fake.changeLog().lags = 5;
    else if (trouble === 2) google.fake.changeLog().expireTokens();
    else if (trouble === 3) await google.restart();
    await google.rig.drive.rescan(bandId);

    const present = new Map([...people.present()].map(([path, [id]]) => [path, id!]));
    const files = await google.rig.drive.files(bandId);
    expect(files.map(({ path }) => path)).toEqual([...present.keys()].sort());
    const head = (id: string): string => google.fake.store.get(id).revisions.at(-1)!.content.sha256;
    for (const { path, hash, fileId } of files) {
      const id = present.get(path)!;
      expect(hash).toBe(head(id));
      expect([path, fileId]).toEqual([path, identities.get(id) ?? fileId]);
      identities.set(id, fileId);
    }
    for (const id of identities.keys()) if (![...present.values()].includes(id)) identities.delete(id);
  }
});

it.each([1, 2, 3])('mirrors people who give the same names again and again (seed %i)', async (seed) => {
  const clock = new ManualClock(Date.now());
  google = await GoogleRig.running({ fake: { clock } });
  const roll = dice(seed);
  const people = new People(google, roll, 5);
  for (let round = 0; round < 40; round += 1) {
    for (let acts = roll(8); acts >= 0; acts -= 1) {
      clock.advance(roll(2));
      people.act();
    }
    if (roll(10) === 0) await google.restart();
    await google.rig.drive.rescan(bandId);

    const expected = [...people.present()].flatMap(([path, ids]) =>
      ids.map((id, n) => {
        const isNewest = n === ids.length - 1;
        const { sha256 } = google.fake.store.get(id).revisions.at(-1)!.content;
        return `${isNewest ? path : path.replace('.cho', ` (${id}).cho`)} ${sha256} ${isNewest ? '' : 'old'}`;
      }),
    );
    const files = await google.rig.drive.files(bandId);
    expect(
      files.map(({ path, hash, hasNewerNamesake }) => `${path} ${hash} ${hasNewerNamesake ? 'old' : ''}`).sort(),
    ).toEqual(expected.sort());
    expect((await google.rig.drive.rescan(bandId)).changes).toBe(0);
  }
});
