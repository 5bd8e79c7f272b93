export { audiencesFor, leaderAudience } from './audience.js';
export { ContentError } from './content-error.js';
export { contentDefaults, type ContentOptions } from './content-options.js';
export { contentEntities, ContentModule } from './content.module.js';
export { ContentService, type LibraryFile, type LibrarySong } from './content.service.js';
export { contentMigrations } from './migrations/index.js';
export { songId } from './song-id.js';
