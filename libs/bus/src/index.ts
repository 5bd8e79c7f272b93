export { Bus } from './bus.js';
export { BusModule } from './bus.module.js';
export { CodedError, type CodedErrorInit } from './coded-error.js';
export {
  durableFacts,
  type ChangeFact,
  type ContentFact,
  type FactName,
  type Facts,
  type FileFact,
  type PermissionFact,
  type Receipt,
  type RightsChange,
  type SessionEnd,
  type SessionFact,
} from './facts.js';
export { gathered } from './gathered.js';
export { OnFact, OnQuestion } from './listeners.js';
export type {
  Answer,
  Ask,
  ContentVerdict,
  DriveChange,
  DriveFile,
  DriveFileState,
  DriveNotification,
  Member,
  Membership,
  Principal,
  QuestionName,
  Questions,
  Role,
} from './questions.js';
export type { FileUpdatedFact, OperationFact, OperationFailedFact, ProgressFact } from './sync-facts.js';
export { together } from './together.js';
