/** An answer other than 2xx, in the JSON form of Google's APIs. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
    private readonly more: {
      domain?: string;
      location?: string;
      locationType?: 'parameter' | 'header';
      /** The name of the status, where the API's front end answers and not Drive. */
      statusName?: string;
      headers?: Record<string, string>;
    } = {},
  ) {
    super(message);
  }

  get headers(): Record<string, string> {
    return this.more.headers ?? {};
  }

  get body(): object {
    const { domain = 'global', location, locationType, statusName } = this.more;
    return {
      error: {
        errors: [{ domain, reason: this.reason, message: this.message, locationType, location }],
        code: this.status,
        message: this.message,
        status: statusName,
      },
    };
  }
}

export function fileNotFound(fileId: string): ApiError {
  return new ApiError(404, 'notFound', `File not found: ${fileId}.`, { location: 'fileId', locationType: 'parameter' });
}

export function invalidValue(parameter: string, message = 'Invalid Value'): ApiError {
  return new ApiError(400, 'invalid', message, { location: parameter, locationType: 'parameter' });
}

export function required(parameter: string): ApiError {
  return new ApiError(400, 'required', `Required parameter: ${parameter}`, {
    location: parameter,
    locationType: 'parameter',
  });
}

export function unauthorized(): ApiError {
  return new ApiError(401, 'authError', 'Invalid Credentials', {
    location: 'Authorization',
    locationType: 'header',
    statusName: 'UNAUTHENTICATED',
  });
}
