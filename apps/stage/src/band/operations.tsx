import type { ReactNode } from 'react';
import { Icon, type IconName } from '../design/icons.js';
import { relativeTime } from '../design/relative-time.js';
import { operationWords, type Operation, type OperationWords } from './operation-words.js';

const icons: Record<OperationWords['tone'], IconName> = {
  good: 'live',
  busy: 'busy',
  warn: 'warning',
  bad: 'stopped',
  quiet: 'waiting',
};

/** The last things Sync did or is about to do. */
export function Operations({
  operations,
  names,
  now,
}: {
  operations: readonly Operation[];
  names: ReadonlyMap<string, string>;
  now: number;
}): ReactNode {
  return (
    <section aria-labelledby="operations">
      <h2 id="operations">Latest operations</h2>
      {operations.length === 0 && <p className="quiet">Nothing has happened yet.</p>}
      <ul className="rows">
        {operations.map((operation) => {
          const { title, state, tone, problem } = operationWords(operation, (fileId) => names.get(fileId) ?? null, now);
          return (
            <li key={operation.id}>
              <span className="row-words">
                <span>{title}</span>
                <span className="quiet">{problem ?? relativeTime(Date.parse(operation.createdAt), now)}</span>
              </span>
              <span className={`state state-${tone}`}>
                <Icon name={icons[tone]} /> {state}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
