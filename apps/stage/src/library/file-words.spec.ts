import { file } from '../../test/file.js';
import { distinctLabels, fileTitle, isBroken, isOpenable, standing, whyNot } from './file-words.js';

describe('the words for a file', () => {
  it('say what it is within its song', () => {
    expect(fileTitle(file('1', { kind: 'part', pitch: 'Eb' }))).toBe('Amazing Grace – E♭ part');
    expect(fileTitle(file('1', { kind: 'audio', reference: true }))).toBe('Amazing Grace – Reference recording');
    expect(fileTitle(file('1', { kind: 'setlist', title: 'Winter Ball' }))).toBe('Winter Ball – setlist');
    expect(fileTitle(file('1', { kind: 'unknown' }, { path: 'folder/notes.docx' }))).toBe('notes.docx');
  });

  it('tell two of a kind apart by their names', () => {
    const files = [file('a', {}, { path: 'x/Song.cho' }), file('b', {}, { path: 'Song_Concert.cho' }), file('c', { kind: 'audio' })];
    expect(distinctLabels(files)).toEqual(['Chart (Song.cho)', 'Chart (Song_Concert.cho)', 'Recording']);
  });

  it('take a placeholder for what it is: nothing is wrong with it, and there is nothing to open', () => {
    const placeholder = file('1', { kind: 'placeholder' });
    expect([isOpenable(placeholder), isBroken(placeholder), standing(placeholder)]).toEqual([false, false, 'Placeholder, not written yet']);
    expect(whyNot(placeholder)).toBe('This chart has not been written yet.');
  });

  it('say why it cannot be opened', () => {
    const broken = file('1', { kind: 'part', readable: false, problem: { code: 'pdf_broken', reason: 'The PDF breaks off.' } });
    expect([isOpenable(broken), whyNot(broken)]).toEqual([false, 'The PDF breaks off.']);
    expect([isBroken(broken), standing(broken)]).toEqual([true, 'Part, cannot be opened']);
    expect([isOpenable(file('1')), whyNot(file('1'))]).toEqual([true, null]);
  });
});
