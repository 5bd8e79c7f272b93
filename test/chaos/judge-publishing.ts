import type { LogMessage, Verdict } from './evidence.js';
import { outcomesOf, type Outcome, type Published, type RecordLine } from './record.js';

/** Holds the log against the publishers' records. */
export function judgePublishing(
  records: readonly (readonly RecordLine[])[],
  log: readonly LogMessage[],
  verdict: Verdict,
): void {
  const logged = byNumber(log, verdict);
  const published = records.flatMap((lines) => outcomesOf(lines));
  checkOutcomes(published, logged, verdict);
  checkTransactions(published, logged, verdict);
  checkEntities(published, logged, verdict);
  for (const lines of records) checkSequence(lines, logged, verdict);
  checkHoles(log, verdict);
}

function byNumber(log: readonly LogMessage[], verdict: Verdict): Map<number, LogMessage> {
  const logged = new Map<number, LogMessage>();
  for (const message of log) {
    if (message.n === null) continue;
    const earlier = logged.get(message.n);
    if (earlier) verdict.twice.add(`${said(message)} is in the log at ${earlier.offset} already`);
    else logged.set(message.n, message);
  }
  return logged;
}

/** What committed is there, what did not is not, and each is what its publisher said. */
function checkOutcomes(published: readonly Published[], logged: ReadonlyMap<number, LogMessage>, verdict: Verdict): void {
  const best = new Map<number, Published>();
  const rank: { [Value in Outcome]: number } = { rolled_back: 0, unknown: 1, committed: 2 };
  for (const message of published) {
    const before = best.get(message.n);
    if (!before || rank[message.outcome] > rank[before.outcome]) best.set(message.n, message);
  }
  for (const message of best.values()) {
    const found = logged.get(message.n);
    const name = `message ${message.n} of transaction ${message.tx} to ${message.channel}`;
    if (!found) {
      if (message.outcome === 'committed') verdict.lost.add(`${name} committed and is not in the log`);
      continue;
    }
    if (message.outcome === 'rolled_back') verdict.invented.add(`${name} was rolled back and is in the log`);
    if (
      found.channel !== message.channel ||
      found.key !== (message.key ?? null) ||
      found.gone !== (message.gone ?? false) ||
      (message.id !== null && found.id !== message.id)
    )
      verdict.invented.add(`${name} is in the log as another: ${JSON.stringify(found)}`);
  }
  for (const [n, message] of logged) if (!best.has(n)) verdict.invented.add(`${said(message)} was published by nobody`);
}

/** All of a transaction or nothing of it, in the order of the calls. */
function checkTransactions(
  published: readonly Published[],
  logged: ReadonlyMap<number, LogMessage>,
  verdict: Verdict,
): void {
  const transactions = new Map<string, Published[]>();
  for (const message of published) {
    const messages = transactions.get(message.tx);
    if (messages) messages.push(message);
    else transactions.set(message.tx, [message]);
  }
  for (const [tx, messages] of transactions) {
    // Tried again under its idempotency key, it may be there by another transaction.
    const own = messages.filter(({ idempotencyKey }) => idempotencyKey === undefined);
    const found = own.filter(({ n }) => logged.has(n)).length;
    if (found > 0 && found < own.length) verdict.lost.add(`transaction ${tx}: ${found} of ${own.length} are in the log`);
    const last = new Map<string, number>();
    for (const { n, channel } of own) {
      const offset = logged.get(n)?.offset;
      if (offset === undefined) continue;
      if (offset < (last.get(channel) ?? 0)) verdict.disordered.add(`transaction ${tx}: message ${n} comes too early`);
      last.set(channel, offset);
    }
  }
}

/** Changes of one entity are in commit order, which their versions tell. */
function checkEntities(published: readonly Published[], logged: ReadonlyMap<number, LogMessage>, verdict: Verdict): void {
  const entities = new Map<string, { version: number; offset: number }[]>();
  for (const { n, channel, key, version } of published) {
    const found = logged.get(n);
    if (version === undefined || !found) continue;
    const entity = `${channel} ${key}`;
    const changes = entities.get(entity) ?? [];
    entities.set(entity, changes);
    changes.push({ version, offset: found.offset });
  }
  for (const [entity, changes] of entities) {
    changes.sort((a, b) => a.offset - b.offset);
    changes.forEach(({ version, offset }, nth) => {
      const before = changes[nth - 1];
      if (before && before.version >= version)
        verdict.disordered.add(`${entity}: version ${version} at ${offset} comes after version ${before.version}`);
    });
  }
}

/** What a publisher began after an earlier transaction of its own had committed comes after it. */
function checkSequence(lines: readonly RecordLine[], logged: ReadonlyMap<number, LogMessage>, verdict: Verdict): void {
  const committedUpTo = new Map<string, number>();
  const inTransaction = new Map<string, number[]>();
  const begun = new Set<number>();
  for (const line of lines) {
    if (line.op === 'publishing') {
      inTransaction.set(line.tx, [...(inTransaction.get(line.tx) ?? []), ...line.messages.map(({ n }) => n)]);
      for (const { n, channel } of line.messages) {
        const found = logged.get(n);
        const floor = committedUpTo.get(channel) ?? 0;
        if (found && !begun.has(n) && found.offset <= floor)
          verdict.disordered.add(`${said(found)} was published after what is at ${floor} had committed`);
        begun.add(n);
      }
    } else if (line.op === 'committed') {
      for (const n of inTransaction.get(line.tx) ?? []) {
        const found = logged.get(n);
        if (found) committedUpTo.set(found.channel, Math.max(committedUpTo.get(found.channel) ?? 0, found.offset));
      }
    }
  }
}

/** Offsets ascend by one. */
function checkHoles(log: readonly LogMessage[], verdict: Verdict): void {
  const heads = new Map<string, number>();
  for (const { channel, offset } of log) {
    const head = heads.get(channel) ?? 0;
    if (offset !== head + 1) verdict.lost.add(`${channel}: after ${head} the log goes on with ${offset}`);
    heads.set(channel, offset);
  }
}

const said = ({ channel, offset, n }: LogMessage): string => `${channel} ${offset} (message ${n})`;
