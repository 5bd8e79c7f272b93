export { DevDbError, type DevDbErrorCode } from './dev-db-error.js';
export { EmbeddedPostgres, startPostgres, type StartPostgresOptions } from './embedded-postgres.js';
