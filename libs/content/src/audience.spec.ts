import { audiencesFor } from './audience.js';

describe('the audiences of a member', () => {
  it.each([
    ['trumpet', ['Bb']],
    ['Tenor Saxophone', ['Bb']],
    ['soprano sax', ['Bb']],
    ['B-flat clarinet', ['Bb']],
    ['E♭ clarinet', ['Eb']],
    ['horn in F', ['F']],
    ['bass', ['Concert']],
    ['flute', ['Concert']],
    ['Clarinet', ['Bb']],
    ['bass clarinet', ['Bb']],
    ['Flügelhorn', ['Bb']],
    ['alto sax', ['Eb']],
    ['BARITONE SAX', ['Eb']],
    ['horn', ['F']],
    ['french horn', ['F']],
    ['piano', ['Concert']],
    ['trombone', ['Concert']],
    ['theremin', ['Concert']],
    ['', ['Concert']],
    ['alto sax / flute', ['Concert', 'Eb']],
  ])('who plays %s reads %j', (instrument, audiences) => {
    expect(audiencesFor(instrument, 'member')).toEqual(audiences);
  });

  it('are all of them for a leader, whatever the instrument', () => {
    expect(audiencesFor('trumpet', 'leader')).toEqual(['Concert', 'Bb', 'Eb', 'F', 'leader']);
  });
});
