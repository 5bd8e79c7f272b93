import { DriveChangeRow } from './entities/drive-change.js';
import { DriveCursorRow } from './entities/drive-cursor.js';
import { DriveFileRow } from './entities/drive-file.js';
import { DriveFolderRow } from './entities/drive-folder.js';
import { DriveTables1764000001001 } from './migrations/1764000001001-drive-tables.js';

/** For the application's DataSource. */
export const driveEntities = [DriveFolderRow, DriveFileRow, DriveChangeRow, DriveCursorRow];

/** In order, for the application's DataSource. */
export const driveMigrations = [DriveTables1764000001001];
