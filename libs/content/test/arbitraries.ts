import fc from 'fast-check';

/** Any string that JavaScript can hold, broken surrogates and controls included. */
export const anyString = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
);

/** A title as somebody would name a file: one line, no underscore in it. */
export const plainTitle = fc.stringMatching(
  /^[A-Za-zÀ-ÖØ-öø-ÿ0-9'’&.,!?-]{1,12}( [A-Za-zÀ-ÖØ-öø-ÿ0-9'’&.,!?-]{1,12}){0,4}$/,
);

/** Unlike a property by `===`, this names what would not survive the database. */
export function storable(value: unknown): boolean {
  const json = JSON.stringify(value);
  return !json.includes('\\u0000') && !/\\ud[89a-f][0-9a-f]{2}/i.test(json);
}
