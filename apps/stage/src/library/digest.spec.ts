import type { FileUpdate } from '@soleil/sync-protocol';
import { file } from '../../test/file.js';
import { digest, sentences } from './digest.js';

const files = (...all: FileUpdate[]) => new Map(all.map((each) => [each.fileId, each]));
const part = (hash: string) => file('1', { kind: 'part', pitch: 'Bb' }, { hash });
const told = (before: Map<string, FileUpdate>, after: Map<string, FileUpdate>) =>
  sentences(digest(before, after, new Set([...before.keys(), ...after.keys()]))).map(({ text }) => text);

describe('news', () => {
  it('says what was added, replaced, changed and removed', () => {
    expect(told(files(), files(part('a')))).toEqual(['Amazing Grace – B♭ part was added']);
    expect(told(files(part('a')), files(part('b')))).toEqual(['Amazing Grace – B♭ part was replaced']);
    expect(told(files(file('2')), files(file('2', {}, { hash: 'b' })))).toEqual(['Amazing Grace – Chart was changed']);
    expect(told(files(part('a')), files())).toEqual(['Amazing Grace – B♭ part was removed']);
  });

  it('says when a good file was replaced by a broken one', () => {
    const broken = file('1', { kind: 'part', pitch: 'Bb', readable: false }, { hash: 'b' });
    expect(told(files(part('a')), files(broken))).toEqual(['Amazing Grace – B♭ part was replaced by something that cannot be read']);
  });

  it('is silent about what looks the same as before', () => {
    const moved = file('1', { kind: 'part', pitch: 'Bb', audience: 'Bb' }, { hash: 'a', revision: 7 });
    expect(told(files(part('a')), files(moved))).toEqual([]);
    expect(digest(files(), files(), ['came-and-went'])).toEqual([]);
  });

  it('sums up when much happened at once', () => {
    const many = [1, 2, 3, 4].map((n) => file(`n${n}`));
    expect(told(files(part('a')), files(...many))).toEqual(['5 files: 4 new, 1 removed']);
  });
});
