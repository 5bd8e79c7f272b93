import { ApiError } from './api-error.js';

/** Which fields to answer with: a name with what to answer of it, `*` for all. */
export type Selection = Map<string, Selection>;

type Json = Record<string, unknown>;

/**
 * Reads a `fields` parameter: `id,name`, `files(id,owners/emailAddress)`, `*`.
 * @throws ApiError 400
 */
export function parseFields(fields: string): Selection {
  const tokens = fields.match(/[A-Za-z0-9_*]+|[(),/]|\S/g) ?? [];
  let at = 0;

  const list = (): Selection => {
    const selection: Selection = new Map();
    do {
      const [name, below] = item();
      const earlier = selection.get(name);
      selection.set(name, earlier ? new Map([...earlier, ...below]) : below);
    } while (tokens[at] === ',' && ++at);
    return selection;
  };
  const item = (): [string, Selection] => {
    const name = tokens[at++];
    if (name === undefined || !/^[A-Za-z0-9_*]+$/.test(name)) throw invalidSelection(fields);
    if (tokens[at] === '/') {
      at += 1;
      return [name, new Map([item()])];
    }
    if (tokens[at] !== '(') return [name, new Map()];
    at += 1;
    const below = list();
    if (tokens[at++] !== ')') throw invalidSelection(fields);
    return [name, below];
  };

  const selection = list();
  if (at < tokens.length) throw invalidSelection(fields);
  return selection;
}

/**
 * What is selected of an answer; in an array, of each of its elements. A field the answer lacks is left out.
 * @param known which fields there are, by name; fields of objects that are not described are not checked
 * @throws ApiError 400 for a field that does not exist
 */
export function select(answer: Json, selection: Selection, known: Known): Json {
  for (const name of selection.keys()) if (name !== '*' && !(name in known)) throw invalidSelection(name);
  const names = selection.has('*') ? Object.keys(answer) : [...selection.keys()];
  return Object.fromEntries(
    names
      .filter((name) => answer[name] !== undefined)
      .map((name) => [name, selectValue(answer[name], name, selection, known)]),
  );
}

/** The fields of a resource: `true` for one without fields of its own, or with fields nobody checks. */
export interface Known {
  [field: string]: true | Known;
}

function selectValue(value: unknown, name: string, selection: Selection, known: Known): unknown {
  const below = selection.get(name) ?? selection.get('*')!;
  const fields = known[name];
  if (below.size === 0) return value;
  if (fields === undefined || fields === true) return value;
  if (Array.isArray(value)) return value.map((element: Json) => select(element, below, fields));
  return select(value as Json, below, fields);
}

function invalidSelection(field: string): ApiError {
  return new ApiError(400, 'invalidParameter', `Invalid field selection ${field}`, {
    location: 'fields',
    locationType: 'parameter',
  });
}
