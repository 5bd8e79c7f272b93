import { buildStageIfStale } from '../../apps/platform/src/stage-build.js';
import { alone } from './database.js';

/** Resolves when the page is built: once in a test run, though several workers ask for it at the same time. */
export const builtStage = (): Promise<void> => alone('the page', buildStageIfStale);
