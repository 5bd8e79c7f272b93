import { DataSource } from 'typeorm';
import { dataSourceOptions } from './apps/platform/src/database.js';

/** For TypeORM's own command line, against DATABASE_URL: `npm run migration -- migration:show`. The platform migrates by itself at start. */
export default new DataSource(dataSourceOptions(process.env.DATABASE_URL));
