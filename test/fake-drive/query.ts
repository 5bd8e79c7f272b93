import { fileNotFound, invalidValue } from './api-error.js';
import type { Item, Store } from './store.js';

export type Matches = (item: Item) => boolean;

/**
 * Reads the part of Drive's query language that a follower of files needs: `'ID' in parents`, `trashed`, `mimeType`,
 * `name`, `modifiedTime`, joined by `and`, `or`, `not` and parentheses.
 * @throws ApiError 400 for what it cannot read, 404 for a parent the user does not see
 */
export function parseQuery(q: string, store: Store, email: string): Matches {
  const tokens = q.match(/'(?:\\.|[^'\\])*'|[()]|<=|>=|!=|[=<>]|[A-Za-z]+|\S/g) ?? [];
  let at = 0;

  const either = (): Matches => {
    const terms = [both()];
    while (tokens[at] === 'or' && ++at) terms.push(both());
    return (item) => terms.some((matches) => matches(item));
  };
  const both = (): Matches => {
    const terms = [term()];
    while (tokens[at] === 'and' && ++at) terms.push(term());
    return (item) => terms.every((matches) => matches(item));
  };
  const term = (): Matches => {
    const token = tokens[at++];
    if (token === 'not') {
      const matches = term();
      return (item) => !matches(item);
    }
    if (token !== '(') return comparison(token, tokens[at++], tokens[at++]);
    const matches = either();
    if (tokens[at++] !== ')') throw invalidValue('q');
    return matches;
  };
  const comparison = (left = '', operator = '', right = ''): Matches => {
    switch (`${left.startsWith("'") ? 'value' : left} ${operator}`) {
      case 'value in':
        if (right !== 'parents') throw invalidValue('q');
        return inFolder(text(left));
      case 'trashed =':
        return (item) => String(store.isTrashed(item)) === right;
      case 'trashed !=':
        return (item) => String(store.isTrashed(item)) !== right;
      case 'mimeType =':
        return (item) => item.mimeType === text(right);
      case 'mimeType !=':
        return (item) => item.mimeType !== text(right);
      case 'name =':
        return (item) => item.name === text(right);
      case 'name contains':
        // Of names Drive matches beginnings of words only.
        return (item) => ` ${item.name.toLowerCase()}`.includes(` ${text(right).toLowerCase()}`);
      case 'modifiedTime >':
        return (item) => item.modifiedAt > Date.parse(text(right));
      default:
        throw invalidValue('q');
    }
  };
  const inFolder = (given: string): Matches => {
    const id = given === 'root' ? store.rootOf(email) : given;
    const folder = store.find(id);
    // The real message leaves the id out.
    if (!folder || !store.sees(email, folder)) throw fileNotFound('');
    return (item) => item.parent === id;
  };

  const matches = either();
  if (at < tokens.length) throw invalidValue('q');
  return matches;
}

function text(quoted: string): string {
  if (!quoted.startsWith("'")) throw invalidValue('q');
  return quoted.slice(1, -1).replace(/\\(.)/g, '$1');
}
