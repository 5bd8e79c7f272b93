import { createHash } from 'node:crypto';

/** Letters that Unicode does not take apart into a base and an accent. */
const spellings: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
  '♭': 'b',
  '♯': ' sharp ',
  '&': ' and ',
};

const longest = 80;

/**
 * The key that the files of one song share within a band, made of its title: `Amazing Grace` is `amazing-grace`. Case,
 * accents, punctuation and apostrophes do not count. A title that ASCII cannot spell (`東京 Blues`), says nothing (`?!`)
 * or is very long gets a digest at its end, so that different titles stay different songs.
 * @returns url-safe, never empty, at most 80 characters; a key's own key is that key
 */
export function songId(title: string): string {
  const folded = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}+/gu, '')
    .replace(/['’‘ʼ`´]/g, '')
    .replace(/[ßæœøłđðþı♭♯&]/g, (letter) => spellings[letter] ?? letter);
  const slug = hyphenated(folded, /[^a-z0-9]+/g);
  const unspelled = /[^\p{ASCII}]/u.test(folded.replace(/[^\p{L}\p{N}]/gu, ''));
  if (slug !== '' && !unspelled && slug.length <= longest) return slug;
  return `${hyphenated(slug.slice(0, 60), /-+/g) || 'song'}-${digest(title)}`;
}

function hyphenated(text: string, gap: RegExp): string {
  return text.replace(gap, '-').replace(/^-|-$/g, '');
}

/** Of the whole title, marks included: in many scripts they are the vowels. */
function digest(title: string): string {
  const lower = title.normalize('NFKC').toLowerCase();
  const words = hyphenated(lower, /[^\p{L}\p{N}\p{M}]+/gu);
  return createHash('sha256')
    .update(words || lower.trim())
    .digest('hex')
    .slice(0, 10);
}
