import type { WireError } from '@soleil/sync-client';

export interface User {
  userId: string;
  name: string;
}

export interface Band {
  bandId: string;
  name: string;
  role: 'member' | 'leader';
  instrument: string;
}

/** Who this browser's session belongs to. */
export interface Me {
  user: User;
  /** For the handshake of the socket. */
  token: string;
  bands: Band[];
}

export interface DemoMember {
  login: string;
  name: string;
  instrument: string;
  password: string;
}

/** A request that came to nothing. `status` is 0 where no answer came at all. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    readonly error: WireError,
  ) {
    super(error.message);
  }

  /** The server says that this browser is not signed in. */
  get isSignedOut(): boolean {
    return this.status === 401;
  }

  get isUnreachable(): boolean {
    return this.status === 0;
  }
}

/** @throws ApiError `credentials_wrong`, `too_many_attempts` */
export const signIn = (login: string, password: string): Promise<unknown> => post('/auth/sign-in', { login, password });

/** @throws ApiError */
export const signOut = (): Promise<unknown> => post('/auth/sign-out');

/** @throws ApiError with status 401 when nobody is signed in */
export const whoAmI = (): Promise<Me> => getJson<Me>('/auth/me');

/** The channels that the user may follow. @throws ApiError */
export const allowedChannels = async (): Promise<string[]> =>
  (await getJson<{ channels: string[] }>('/sync/channels')).channels;

/** The members of the demo band; none where there is no demo. */
export const demoMembers = (): Promise<DemoMember[]> => getJson<DemoMember[]>('/auth/demo-members').catch(() => []);

/** @throws ApiError */
export async function getJson<Answer>(path: string): Promise<Answer> {
  return (await (await request(path, { headers: { accept: 'application/json' } })).json()) as Answer;
}

/** @returns the answer's JSON; null for one without a body. @throws ApiError */
export const post = (path: string, body?: unknown): Promise<unknown> => send('POST', path, body);

/** @returns the answer's JSON. @throws ApiError */
export const put = (path: string, body: unknown): Promise<unknown> => send('PUT', path, body);

async function send(method: string, path: string, body: unknown): Promise<unknown> {
  const headers = { 'x-soleil-client': 'stage', ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const response = await request(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  return response.status === 204 ? null : response.json();
}

/** @throws ApiError for everything but a success */
export async function request(path: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch (cause) {
    // Whoever aborted it wants to know that, and nothing else.
    if (init?.signal?.aborted) throw cause;
    throw new ApiError(0, unreachable);
  }
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  throw new ApiError(response.status, errorOf(body) ?? unexplained(response.status));
}

const unreachable: WireError = {
  code: 'server_unreachable',
  message: 'The server cannot be reached.',
  remedy: 'Check the network; what this device has stays usable.',
  retryable: true,
};

const unexplained = (status: number): WireError => ({
  code: 'answer_unexpected',
  message: `The server answered ${status}.`,
  remedy: 'Try again in a moment.',
  retryable: status >= 500,
});

function errorOf(body: unknown): WireError | null {
  const error = (body as { error?: Partial<WireError> } | null)?.error;
  if (typeof error?.code !== 'string' || typeof error.message !== 'string') return null;
  return {
    code: error.code,
    message: error.message,
    remedy: error.remedy ?? '',
    retryable: error.retryable === true,
    details: error.details,
  };
}
