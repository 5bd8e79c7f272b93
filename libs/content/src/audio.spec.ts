import fc from 'fast-check';
import { checkAudio } from './audio.js';

describe('a recording', () => {
  it.each([
    ['MP3 with a tag', Buffer.from('ID3\x04\0\0')],
    ['MP3 without one', Buffer.of(0xff, 0xfb, 0x90, 0x64)],
    ['MP3 behind padding', Buffer.of(0, 0, 0, 0xff, 0xf3, 0x44, 0xc4)],
    ['Ogg', Buffer.from('OggS\0\x02')],
    ['FLAC', Buffer.from('fLaC\0\0')],
    ['WAV', Buffer.from('RIFF\x24\0\0\0WAVEfmt ')],
    ['M4A', Buffer.from('\0\0\0\x20ftypM4A ')],
  ])('is known by its first bytes: %s', (_, head) => {
    expect(checkAudio(head)).toBeNull();
  });

  it.each([
    ['text', Buffer.from('not found')],
    ['a byte order mark', Buffer.of(0xff, 0xfe, 0x61, 0)],
    ['zeros', Buffer.alloc(4096)],
    ['another RIFF', Buffer.from('RIFF\x24\0\0\0AVI ')],
  ])('is not %s', (_, head) => {
    expect(checkAudio(head)?.code).toBe('audio_broken');
  });

  it('never fails to be judged', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void checkAudio(Buffer.from(bytes))));
  });
});
