/** What every failure that may reach a person carries. */
export interface CodedErrorInit {
  /** Stable, snake_case; what programs branch on. */
  code: string;
  /** One sentence, free of stacks, SQL and secrets: it is shown to people. */
  message: string;
  /** What the reader can do about it. */
  remedy: string;
  /** HTTP status where a REST call meets this failure. */
  status: number;
  /** True where the same call may succeed later, unchanged. Default false. */
  retryable?: boolean;
  /** Where it is retryable and whoever refused said how long to wait: no sooner than after so many milliseconds. */
  retryAfterMs?: number;
  details?: Record<string, unknown>;
  cause?: unknown;
}

/**
 * The base of the errors that the server modules throw on purpose. Whatever is thrown and is not coded is a fault of
 * ours, and reaches a client as `internal_error` only.
 */
export class CodedError extends Error {
  readonly code: string;
  readonly remedy: string;
  readonly status: number;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly details: Record<string, unknown>;

  constructor(init: CodedErrorInit) {
    super(init.message, { cause: init.cause });
    this.name = new.target.name;
    this.code = init.code;
    this.remedy = init.remedy;
    this.status = init.status;
    this.retryable = init.retryable ?? false;
    this.retryAfterMs = init.retryAfterMs;
    this.details = init.details ?? {};
  }
}
