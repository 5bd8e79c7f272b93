import { DriveChangeRow } from './entities/drive-change.js';
import { DriveChannelRow } from './entities/drive-channel.js';
import { DriveCursorRow } from './entities/drive-cursor.js';
import { DriveExportRow } from './entities/drive-export.js';
import { DriveFileRow } from './entities/drive-file.js';
import { DriveFolderRow } from './entities/drive-folder.js';
import { DriveTables1764000001001 } from './migrations/1764000001001-drive-tables.js';
import { DriveNamesakes1764000001003 } from './migrations/1764000001003-drive-namesakes.js';
import { GoogleTables1764000001002 } from './migrations/1764000001002-google-tables.js';

/** For the application's DataSource. */
export const driveEntities = [DriveFolderRow, DriveFileRow, DriveChangeRow, DriveCursorRow, DriveChannelRow, DriveExportRow];

/** In order, for the application's DataSource. */
export const driveMigrations = [DriveTables1764000001001, GoogleTables1764000001002, DriveNamesakes1764000001003];
