import type { IncomingMessage } from 'node:http';
import { ApiError, invalidValue, required } from './api-error.js';
import { parseFields, select, type Known } from './fields.js';

/** A request to the API, once it is known whose it is. */
export interface ApiRequest {
  user: string;
  /** The ids in its path. */
  ids: string[];
  parameters: Parameters;
  range: string | undefined;
  body: string;
}

/**
 * The JSON object in the body.
 * @throws ApiError 400
 */
export function jsonOf({ body }: ApiRequest): Record<string, unknown> {
  try {
    return Object(JSON.parse(body)) as Record<string, unknown>;
  } catch {
    throw new ApiError(400, 'parseError', 'Parse Error');
  }
}

/** The parameters of a query. */
export class Parameters {
  constructor(private readonly query: URLSearchParams) {}

  text(name: string): string | undefined {
    return this.query.get(name) ?? undefined;
  }

  /** @throws ApiError 400 */
  required(name: string): string {
    const value = this.query.get(name);
    if (!value) throw required(name);
    return value;
  }

  flag(name: string, byDefault = false): boolean {
    const value = this.query.get(name);
    return value === null ? byDefault : value === 'true';
  }

  /**
   * 100 by default, 1,000 at most; more is taken for that.
   * @throws ApiError 400
   */
  get pageSize(): number {
    const value = this.query.get('pageSize') ?? '100';
    if (!/^[1-9]\d*$/.test(value)) throw invalidValue('pageSize');
    return Math.min(Number(value), 1_000);
  }

  /** What of an answer was asked for. */
  selected(answer: Record<string, unknown>, known: Known, byDefault: string): Record<string, unknown> {
    const fields = this.query.get('fields') ?? byDefault;
    return fields === '' ? {} : select(answer, parseFields(fields), known);
  }
}

/**
 * Whether a list is to hold files of shared drives.
 * @throws ApiError 403 where the parameters contradict each other
 */
export function includesAllDrives(parameters: Parameters): boolean {
  const includes = parameters.flag('includeItemsFromAllDrives');
  if (includes && !parameters.flag('supportsAllDrives')) {
    throw new ApiError(
      403,
      'supportsTeamDrivesRequired',
      'The supportsAllDrives parameter must be set to true when includeItemsFromAllDrives is true.',
      { location: 'supportsTeamDrives', locationType: 'parameter' },
    );
  }
  if (!includes && (parameters.text('driveId') !== undefined || /drive|allDrives/.test(parameters.text('corpora') ?? ''))) {
    throw new ApiError(
      403,
      'includeTeamDriveItemsRequired',
      'The includeItemsFromAllDrives parameter must be set to true when driveId is specified or corpora contains drive or allDrives.',
      { location: 'includeTeamDriveItems', locationType: 'parameter' },
    );
  }
  return includes;
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}
