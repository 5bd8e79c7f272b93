import { z } from 'zod';
import { DriveError } from './drive-error.js';
import type { DriveProvider } from './provider.js';

/** What `DriveModule.forRoot` takes. Everything has a default. */
export interface DriveOptions {
  /** A file counts as saved when two looks at it, this far apart, found the same size, time and inode. Default 100. */
  settleMs: number;
  /** So much longer an empty file must stay empty: editors truncate first and write later. Default 1,000. */
  emptySettleMs: number;
  /** How often a whole folder is compared with what is known, as the safety net below the watcher. Default 300,000. */
  rescanIntervalMs: number;
  /** How often a missing folder is looked for. Default 1,000. */
  folderRetryMs: number;
  /** Larger files are listed, with the problem `file_too_large`, but not served. Default 200 MiB. */
  maxFileBytes: number;
  /** Files of one folder that are hashed at once. Default 8. */
  concurrentHashes: number;
  /** Facts told at once, all of distinct files. Default 200. */
  tellBatch: number;
  /** How long another process leaves the telling of a band to one that has died while telling. Default 3,000. */
  tellLeaseMs: number;
  /** How long a change stays in the change log after it was told. Default 30. */
  changeRetentionDays: number;
  /** Sources beside the folder provider. Default none. */
  providers: DriveProvider[];
}

export const driveDefaults: DriveOptions = {
  settleMs: 100,
  emptySettleMs: 1_000,
  rescanIntervalMs: 300_000,
  folderRetryMs: 1_000,
  maxFileBytes: 200 * 1024 * 1024,
  concurrentHashes: 8,
  tellBatch: 200,
  tellLeaseMs: 3_000,
  changeRetentionDays: 30,
  providers: [],
};

const duration = z.int().min(1);
const count = z.int().min(1);

const schema = z.strictObject({
  settleMs: z.int().min(1).max(10_000),
  emptySettleMs: z.int().min(0).max(60_000),
  rescanIntervalMs: duration,
  folderRetryMs: duration,
  maxFileBytes: count,
  concurrentHashes: count.max(64),
  tellBatch: count.max(1_000),
  tellLeaseMs: z.int().min(100),
  changeRetentionDays: z.number().positive(),
  providers: z.array(
    z.custom<DriveProvider>(
      (value) => typeof (value as DriveProvider | null)?.connect === 'function',
      'expected a DriveProvider',
    ),
  ),
});

/**
 * The options with the defaults where nothing is given.
 * @throws DriveError `options_invalid`, which names the option
 */
export function driveOptions(given: Partial<DriveOptions> = {}): DriveOptions {
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const parsed = schema.safeParse({ ...driveDefaults, ...named });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || '(the whole)'}: ${issue.message}`);
  throw new DriveError('options_invalid', `DriveModule's options do not fit. ${faults.join('; ')}`);
}
