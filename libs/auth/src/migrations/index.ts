import { AuthTables1764000000001 } from './1764000000001-auth-tables.js';

/** In order. */
export const authMigrations = [AuthTables1764000000001];
