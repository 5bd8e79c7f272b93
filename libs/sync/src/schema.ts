import { SyncEngine1764000003002 } from './entities/engine-schema.js';
import { SyncItems1764000003060 } from './entities/items-schema.js';
import { SyncLooks1764000003070 } from './entities/looks-schema.js';
import { SyncLosses1764000003090 } from './entities/losses-schema.js';
import { SyncPace1764000003080 } from './entities/pace-schema.js';
import { SyncSameName1764000003100 } from './entities/same-name-schema.js';
import { SyncBandSetting1764000003081 } from './entities/settings-schema.js';
import { SyncBandSetting } from './entities/sync-band-setting.js';
import { SyncFile } from './entities/sync-file.js';
import { SyncItem } from './entities/sync-item.js';
import { SyncOperation } from './entities/sync-operation.js';
import {
  SyncDeviceName1764000003021,
  SyncHoldingChannel1764000003050,
  SyncLedger1764000003020,
} from './ledger/ledger-schema.js';
import { SyncLogIndex1764000003030 } from './log/log-index-schema.js';
import { SyncLog1764000003001 } from './log/log-schema.js';
import { SyncPublishing1764000003005 } from './log/publishing-schema.js';
import { SyncRetention1764000003031 } from './log/retention-schema.js';
import { SyncRights1764000003040 } from './log/rights-schema.js';
import { SyncEnqueue1764000003110 } from './queue/enqueue-schema.js';

/** For the application's DataSource. */
export const syncEntities = [SyncOperation, SyncItem, SyncFile, SyncBandSetting];
/** For the application's DataSource, in this order. */
export const syncMigrations = [
  SyncLog1764000003001,
  SyncEngine1764000003002,
  SyncPublishing1764000003005,
  SyncLedger1764000003020,
  SyncDeviceName1764000003021,
  SyncLogIndex1764000003030,
  SyncRetention1764000003031,
  SyncRights1764000003040,
  SyncHoldingChannel1764000003050,
  SyncItems1764000003060,
  SyncLooks1764000003070,
  SyncPace1764000003080,
  SyncBandSetting1764000003081,
  SyncLosses1764000003090,
  SyncSameName1764000003100,
  SyncEnqueue1764000003110,
];
