import { ContentTables1764000002001 } from './1764000002001-content-tables.js';

/** In order. */
export const contentMigrations = [ContentTables1764000002001];
