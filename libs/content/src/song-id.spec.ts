import fc from 'fast-check';
import { anyString } from '../test/arbitraries.js';
import { songId } from './song-id.js';

describe('a song id', () => {
  it.each([
    ['Amazing Grace', 'amazing-grace'],
    ['St. James Infirmary', 'st-james-infirmary'],
    ['À la claire fontaine', 'a-la-claire-fontaine'],
    ['A\u0300 la claire fontaine', 'a-la-claire-fontaine'],
    ["Don't Get Around Much", 'dont-get-around-much'],
    ['Don’t get around much!', 'dont-get-around-much'],
    ['Smørrebrød & Straße', 'smorrebrod-and-strasse'],
    ['Blues in B♭', 'blues-in-bb'],
  ])('spells "%s" as %s', (title, id) => {
    expect(songId(title)).toBe(id);
  });

  it('keeps titles apart that ASCII cannot spell', () => {
    const ids = ['東京 Blues', '大阪 Blues', 'Blues', 'Калинка', 'Катюша', '???', '!!!'].map(songId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('keeps very long titles apart that begin alike', () => {
    const long = 'A very long title '.repeat(10);
    expect(songId(`${long} one`)).not.toBe(songId(`${long} two`));
  });

  it('is url-safe, short, and its own id, for any string', () => {
    fc.assert(
      fc.property(anyString, (title) => {
        const id = songId(title);
        expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
        expect(id.length).toBeLessThanOrEqual(80);
        expect(songId(id)).toBe(id);
      }),
    );
  });
});
