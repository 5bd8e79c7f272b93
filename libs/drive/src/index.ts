export { ChangeLog } from './change-log.js';
export { DriveError, type DriveErrorCode } from './drive-error.js';
export { DriveModule } from './drive.module.js';
export { DriveService, type DriveStatus, type OpenedFile } from './drive.service.js';
export type { GoogleCredentials } from './google/credentials.js';
export { GoogleDriveProvider } from './google/google-drive-provider.js';
export type { GoogleDriveOptions } from './google/options.js';
export { Quota, type QuotaOptions } from './google/quota.js';
export { serveFile, type FileAnswer, type RequestHeaders } from './http-file.js';
export { driveDefaults, type DriveOptions } from './options.js';
export type { PlannedChange } from './plan-changes.js';
export type {
  ByteRange,
  DriveProvider,
  DriveSource,
  FileProblem,
  Fingerprint,
  GoneSighting,
  KnownFile,
  NotificationHeaders,
  PresentSighting,
  ProblemCode,
  Sighting,
  SourceConnection,
  SourceState,
  SourceStatus,
} from './provider.js';
export { driveEntities, driveMigrations } from './schema.js';
