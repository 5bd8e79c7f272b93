import { CodedError } from '@soleil/bus';

/** What Content throws on purpose. Bad files are none of it: they get a verdict. */
export class ContentError extends CodedError {
  static optionsInvalid(detail: string, cause: unknown): ContentError {
    return new ContentError({
      code: 'content_options_invalid',
      message: `ContentModule cannot start with these options: ${detail}.`,
      remedy: 'Correct the named option where the application imports ContentModule.',
      status: 500,
      cause,
    });
  }
}
