import { relativeTime } from '../design/relative-time.js';
import type { Action, Item, Operation } from './operation.js';
import type { Paused } from './use-band-status.js';

export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'quiet';

export interface OperationWords {
  title: string;
  state: string;
  tone: Tone;
  /** What went wrong; null when nothing did. */
  problem: string | null;
  /** What to do about it, where somebody has to. */
  advice: string | null;
  /** How far it has come; `total` null while that is not known. Null for what has no parts. */
  progress: { done: number; total: number | null } | null;
}

/** @returns a file's name, null when it is not known */
export type NameOf = (fileId: string) => string | null;

/**
 * An operation as a bandleader would put it.
 * @param now milliseconds
 */
export function operationWords(operation: Operation, nameOf: NameOf, now: number): OperationWords {
  return {
    title: titleOf(operation, nameOf),
    problem: problemOf(operation),
    advice: operation.status === 'dead' ? operation.errorRemedy : null,
    progress: progressOf(operation),
    ...stateOf(operation, now),
  };
}

/** A file of a full sync. */
export function itemWords(
  { fileId, status, errorMessage }: Item,
  nameOf: NameOf,
): Pick<OperationWords, 'title' | 'state' | 'tone' | 'problem'> {
  const title = fileTitle(fileId, nameOf);
  switch (status) {
    case 'waiting':
      return { title, state: 'Waiting', tone: 'quiet', problem: null };
    case 'completed':
      return { title, state: 'Checked', tone: 'good', problem: null };
    case 'failed':
      return { title, state: 'Failed', tone: 'bad', problem: errorMessage };
    case 'cancelled':
      return { title, state: 'Not checked', tone: 'quiet', problem: null };
  }
}

export const actionWords: Record<Action, { label: string; done: string }> = {
  cancel: { label: 'Cancel', done: 'Cancelled.' },
  retry: { label: 'Try again', done: 'It is being tried again.' },
  discard: { label: 'Give up', done: 'Given up. The next change to the file is taken up as usual.' },
};

/** What everybody in the band reads while every file is checked. */
export const checkingWords = ({ done, total }: { done: number; total: number }): string =>
  total === 0 ? 'The library is being checked' : `The library is being checked: ${done} of ${total}`;

/** Why a band's operations wait, since when, and when they go on. */
export const pausedWords = ({ since, until, message }: Paused, now: number): string =>
  `Paused ${relativeTime(Date.parse(since), now)}, goes on ${inTime(Date.parse(until) - now)}: ${message}`;

function titleOf({ kind, mode, fileId }: Operation, nameOf: NameOf): string {
  switch (kind) {
    case 'band':
      return mode === 'full' ? 'Full sync' : 'Look for changes';
    case 'user_setup':
      return 'Prepare a member’s devices';
    case 'file':
      return fileTitle(fileId, nameOf);
  }
}

const fileTitle = (fileId: string | null, nameOf: NameOf): string =>
  (fileId !== null && nameOf(fileId)) || 'A file that is not in the library';

function stateOf(operation: Operation, now: number): Pick<OperationWords, 'state' | 'tone'> {
  const { status, itemsFailed } = operation;
  switch (status) {
    case 'pending':
      return { state: 'Waiting', tone: 'quiet' };
    case 'running':
      return { state: runningState(operation), tone: 'busy' };
    case 'completed':
      return { state: durationOf(operation), tone: itemsFailed > 0 ? 'warn' : 'good' };
    case 'failed':
      return { state: `Next try ${inTime(Date.parse(operation.runAt) - now)}`, tone: 'warn' };
    case 'dead':
      return { state: stoppedState(operation), tone: 'bad' };
    case 'cancelled':
      return { state: 'Cancelled', tone: 'quiet' };
  }
}

function stoppedState({ attempts, losses, errorCode }: Operation): string {
  if (errorCode === 'lost_too_often') return `Stopped after ${losses} servers went away`;
  return `Stopped after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`;
}

function runningState(operation: Operation): string {
  const progress = progressOf(operation);
  if (progress === null) return operation.kind === 'file' ? 'Being read' : 'Running';
  return progress.total === null ? 'Looking through the folder' : `${progress.done} of ${progress.total}`;
}

function progressOf({ status, mode, itemsTotal, itemsDone }: Operation): OperationWords['progress'] {
  if (status !== 'running' || mode !== 'full') return null;
  return { done: itemsDone, total: itemsTotal === 0 ? null : itemsTotal };
}

function problemOf({ status, errorMessage, itemsFailed, itemsTotal }: Operation): string | null {
  if (status === 'failed' || status === 'dead') return errorMessage;
  if (itemsFailed === 0 || status === 'cancelled') return null;
  return status === 'running'
    ? `${itemsFailed} failed so far.`
    : `${itemsFailed} of ${itemsTotal} files could not be checked.`;
}

function durationOf({ startedAt, finishedAt }: Operation): string {
  if (startedAt === null || finishedAt === null) return 'Done';
  const ms = Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt));
  return ms < 1000 ? `Done in ${Math.max(1, Math.round(ms))} ms` : `Done in ${(ms / 1000).toFixed(1)} s`;
}

function inTime(ms: number): string {
  if (ms <= 0) return 'now';
  return ms < 90_000 ? `in ${Math.ceil(ms / 1000)} s` : `in ${Math.round(ms / 60_000)} min`;
}
