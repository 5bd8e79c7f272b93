/**
 * What can keep the embedded database from starting:
 *
 * - `unsupported_platform`: there is no PostgreSQL package for this operating system and processor
 * - `binaries_missing`: the platform's package is not installed, or not whole
 * - `cannot_run_as_root`: no account other than root can run PostgreSQL here
 * - `data_dir_not_owned`: the data directory belongs to another account
 * - `data_dir_not_empty`: the directory holds something that is not an embedded database
 * - `data_dir_version`: another major version of PostgreSQL wrote the data directory
 * - `database_in_use`: a living process holds the data directory
 * - `port_in_use`: the port that `restart` must take again is taken
 * - `init_failed`: creating the database cluster failed
 * - `start_failed`: PostgreSQL ended before it was ready
 */
export type DevDbErrorCode =
  | 'unsupported_platform'
  | 'binaries_missing'
  | 'cannot_run_as_root'
  | 'data_dir_not_owned'
  | 'data_dir_not_empty'
  | 'data_dir_version'
  | 'database_in_use'
  | 'port_in_use'
  | 'init_failed'
  | 'start_failed';

/** An error of the embedded database; `remedy` is a sentence for the person at the terminal. */
export class DevDbError extends Error {
  override readonly name = 'DevDbError';

  constructor(
    readonly code: DevDbErrorCode,
    message: string,
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
