import { useState, type ReactNode } from 'react';
import { Icon, type IconName } from '../design/icons.js';
import { relativeTime } from '../design/relative-time.js';
import { ApiError, post } from '../session/api.js';
import { actionsOn, type Action, type Operation } from './operation.js';
import { actionWords, operationWords, type NameOf, type OperationWords, type Tone } from './operation-words.js';

/** An operation: what it is, how it stands, and what may be done about it. `acted` hears what was done. */
export function OperationRow(props: {
  operation: Operation;
  nameOf: NameOf;
  now: number;
  acted: (words: string) => void;
  children: ReactNode;
}): ReactNode {
  const { operation, nameOf, now, acted, children } = props;
  const words = operationWords(operation, nameOf, now);
  return (
    <li className="operation">
      <span className="row-words">
        <span>{words.title}</span>
        <span className="quiet">{relativeTime(Date.parse(operation.createdAt), now)}</span>
      </span>
      <Bar words={words} />
      <Problem words={words} code={operation.status === 'dead' ? operation.errorCode : null} />
      <State {...words} />
      {/* What was said and done in another state does not stand there for this one. */}
      <Actions key={operation.status} operation={operation} title={words.title} acted={acted} />
      {children}
    </li>
  );
}

const icons: Record<Tone, IconName> = {
  good: 'live',
  busy: 'busy',
  warn: 'warning',
  bad: 'stopped',
  quiet: 'waiting',
};

export function State({ tone, state }: Pick<OperationWords, 'tone' | 'state'>): ReactNode {
  return (
    <span className={`state state-${tone}`}>
      <Icon name={icons[tone]} /> {state}
    </span>
  );
}

function Bar({ words: { title, progress } }: { words: OperationWords }): ReactNode {
  if (progress === null) return null;
  const { done, total } = progress;
  return <progress aria-label={title} max={total ?? 1} value={total === null ? undefined : done} />;
}

function Problem({ words: { problem, advice }, code }: { words: OperationWords; code: string | null }): ReactNode {
  if (problem === null) return null;
  return (
    <p className="operation-problem">
      {problem} {advice !== null && <b>{advice}</b>} {code !== null && <code className="quiet">{code}</code>}
    </p>
  );
}

function Actions(props: { operation: Operation; title: string; acted: (words: string) => void }): ReactNode {
  const { operation, title, acted } = props;
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const actions = actionsOn(operation);
  // After a success it stays busy, until the list shows what has become of it.
  const act = async (action: Action): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      await post(`/sync/operations/${operation.id}/${action}`);
      acted(actionWords[action].done);
    } catch (error) {
      setBusy(false);
      setFailure(error instanceof ApiError ? error.error.message : 'That did not work. Try again.');
    }
  };
  if (actions.length === 0) return null;
  return (
    <span className="operation-actions">
      {failure !== null && (
        <span className="problem" role="alert">
          {failure}
        </span>
      )}
      {actions.map((action) => (
        <button
          key={action}
          type="button"
          className="button"
          aria-label={`${actionWords[action].label}: ${title}`}
          disabled={isBusy}
          onClick={() => void act(action)}
        >
          {actionWords[action].label}
        </button>
      ))}
    </span>
  );
}
