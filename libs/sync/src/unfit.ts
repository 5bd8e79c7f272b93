import { SyncError, type Code } from '@soleil/sync-protocol';
import type { z } from 'zod';

/** Whoever sends something made up is answered no more than helps whoever sends something wrong. */
const mostIssues = 10;
const mostCharacters = 200;

/** @param what was given, for the message: `The frame` @param error what its schema has against it; the first issues are told */
export function unfit(code: Code, what: string, { issues }: z.ZodError): SyncError {
  const told = issues.slice(0, mostIssues).map(({ code: kind, path, message }) => ({
    code: kind,
    path: path.slice(0, mostIssues).map((part) => brief(String(part))),
    message: brief(message),
  }));
  const more = issues.length > told.length ? ` and ${issues.length - told.length} more` : '';
  const text = told.map(({ path, message }) => (path.length > 0 ? `${message} (${path.join('.')})` : message)).join('; ');
  return new SyncError(code, `${what} does not fit: ${text}${more}`, { issues: told });
}

const brief = (text: string): string => (text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text);
