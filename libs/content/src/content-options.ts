import { z } from 'zod';
import { ContentError } from './content-error.js';

/** Everything has a default; see {@link contentDefaults}. */
export interface ContentOptions {
  /** Bytes. A larger chart or setlist is not read. Default 1 MiB. */
  textLimitBytes?: number;
  /** Bytes. Of a larger PDF only the beginning is looked at. Default 20 MiB. */
  pdfLimitBytes?: number;
  /** How long one chart may take to parse. Default 5,000. */
  chartTimeLimitMs?: number;
  /** The longest pause before a fact that found no listener is told again. Default 5,000. */
  tellBackoffMaxMs?: number;
  /** How often facts are looked for that another process left behind. Default 5,000. */
  tellPollMs?: number;
}

export const contentDefaults: Required<ContentOptions> = {
  textLimitBytes: 1024 * 1024,
  pdfLimitBytes: 20 * 1024 * 1024,
  chartTimeLimitMs: 5000,
  tellBackoffMaxMs: 5000,
  tellPollMs: 5000,
};

/** The options, complete and validated: one provider, so that they are merged once. */
export class ContentSettings implements Required<ContentOptions> {
  readonly textLimitBytes!: number;
  readonly pdfLimitBytes!: number;
  readonly chartTimeLimitMs!: number;
  readonly tellBackoffMaxMs!: number;
  readonly tellPollMs!: number;

  /** @throws ContentError `content_options_invalid`, naming the option */
  static from(options: ContentOptions): ContentSettings {
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const parsed = schema.safeParse({ ...contentDefaults, ...given });
    if (!parsed.success) {
      const detail = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'options'}: ${issue.message}`).join('; ');
      throw ContentError.optionsInvalid(detail, parsed.error);
    }
    return Object.assign(new ContentSettings(), parsed.data);
  }
}

const bytes = z
  .int()
  .min(1024)
  .max(256 * 1024 * 1024);
const milliseconds = z.int().min(10).max(3_600_000);

const schema = z.strictObject({
  textLimitBytes: bytes,
  pdfLimitBytes: bytes,
  chartTimeLimitMs: milliseconds,
  tellBackoffMaxMs: milliseconds,
  tellPollMs: milliseconds,
});
