import type { ConnectionSnapshot } from '@soleil/sync-client';
import { relativeTime } from '../design/relative-time.js';

/** How the connection is, for people. The icon and the color follow from `tone`, never the meaning from them alone. */
export interface ConnectionWords {
  tone: 'live' | 'busy' | 'off' | 'stopped';
  word: string;
  /** Beside the word: "in 5 s", "last synced 3 min ago". */
  detail: string | null;
  /** What it means for the user. */
  sentence: string;
  /** What the user can do about it. */
  action: 'connect' | 'sign_in' | null;
}

type Facts = Pick<ConnectionSnapshot, 'state' | 'retryAt' | 'error'> & {
  sessionEnded: boolean;
  /** Milliseconds; null: never on this device. */
  lastSyncedAt: number | null;
};

/** @param now milliseconds */
export function connectionWords(facts: Facts, now: number): ConnectionWords {
  const { state, error, lastSyncedAt } = facts;
  const synced = lastSyncedAt === null ? 'not synced yet' : `last synced ${relativeTime(lastSyncedAt, now)}`;
  const stays =
    lastSyncedAt === null
      ? 'Nothing has arrived on this device yet.'
      : `You see the library as it was ${asOf(lastSyncedAt, now)}.`;
  if (facts.sessionEnded || (state === 'refused' && isAboutSession(error?.code))) {
    return {
      tone: 'stopped',
      word: 'Signed out',
      detail: synced,
      sentence: `${stays} Sign in again to receive changes.`,
      action: 'sign_in',
    };
  }
  switch (state) {
    case 'live':
      return {
        tone: 'live',
        word: 'Live',
        detail: null,
        sentence: 'You have everything; changes appear by themselves.',
        action: null,
      };
    case 'catching_up':
      return {
        tone: 'busy',
        word: 'Catching up',
        detail: null,
        sentence: 'What happened while you were away is arriving.',
        action: null,
      };
    case 'connecting':
      return { tone: 'busy', word: 'Connecting', detail: null, sentence: stays, action: null };
    case 'waiting':
      return {
        tone: 'off',
        word: 'Reconnecting',
        detail: secondsUntil(facts.retryAt, now),
        sentence: `${reasonOf(facts)} ${stays}`,
        action: 'connect',
      };
    case 'refused':
      return {
        tone: 'stopped',
        word: 'Disconnected',
        detail: synced,
        sentence: `${error?.message ?? ''} ${error?.remedy ?? ''}`.trim(),
        action: 'connect',
      };
    case 'offline':
    case 'closed':
      return { tone: 'off', word: 'Offline', detail: synced, sentence: stays, action: 'connect' };
  }
}

function secondsUntil(retryAt: number | null, now: number): string | null {
  const seconds = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
  return seconds > 0 ? `in ${seconds} s` : null;
}

function reasonOf({ error }: Facts): string {
  return error?.code === 'database_unavailable' || error?.code === 'shutting_down'
    ? error.message
    : 'The server cannot be reached.';
}

const asOf = (time: number, now: number): string => {
  const relative = relativeTime(time, now);
  return relative === 'just now' ? 'a moment ago' : relative;
};

const isAboutSession = (code: string | undefined): boolean =>
  code === 'session_ended' || code?.startsWith('token_') === true;
