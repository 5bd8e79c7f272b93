import { z } from 'zod';
import { AuthError } from './auth-error.js';

const line = (maximum: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(maximum)
    .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters')
    .normalize('NFC');

/** Logins are compared in lower case, and however a keyboard composes its characters. */
export const login = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\s\p{Cc}]*$/u, 'must not contain spaces')
  .normalize('NFKC')
  .toLowerCase();

/** Its minimum has a code of its own. The maximum only keeps a request from being a burden. */
const password = z.string().max(1024);

export const newUser = z.object({ login, name: line(200), password });

export const newBand = z.object({ name: line(200) });

export const bandSlug = z.object({
  slug: z
    .string()
    .max(100)
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case letters and digits, joined by single hyphens'),
});

export const credentials = z.object({ login: z.string(), password, userAgent: z.string().optional() });

export const part = z.object({ role: z.enum(['member', 'leader']), instrument: line(100) });

/** Anything else is nobody's id, and PostgreSQL would not even compare it. */
export const isId = (id: string): boolean => z.guid().safeParse(id).success;

/** @throws AuthError `input_invalid`, naming the fields */
export function checked<Schema extends z.ZodType>(schema: Schema, input: z.input<Schema>): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const fields = [...new Set(issues.map((issue) => issue.path.join('.')))];
  throw AuthError.inputInvalid(
    issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
    fields,
    parsed.error,
  );
}
