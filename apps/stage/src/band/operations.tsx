import { useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';
import type { FileUpdate } from '@soleil/sync-protocol';
import { Icon } from '../design/icons.js';
import { useNow } from '../design/use-now.js';
import { fileName } from '../library/file-words.js';
import { getJson } from '../session/api.js';
import { useAsked } from '../session/use-asked.js';
import type { Item, Operation } from './operation.js';
import { OperationRow, State } from './operation-row.js';
import { itemWords, type NameOf } from './operation-words.js';
import { mostListed, useOperations } from './use-operations.js';

/** What Sync does for the band, as it happens, and what its leaders may do about it. */
export function Operations({ bandId, files }: { bandId: string; files: readonly FileUpdate[] }): ReactNode {
  const { told, problem, refresh } = useOperations(bandId);
  const [said, setSaid] = useState('');
  const now = useNow(1_000);
  const nameOf = useNames(files);
  const acted = (words: string): void => {
    setSaid(words);
    refresh();
  };
  const row = (operation: Operation): ReactNode => (
    <OperationRow key={operation.id} operation={operation} nameOf={nameOf} now={now} acted={acted}>
      {operation.mode === 'full' && operation.itemsTotal > 0 && <Items operation={operation} nameOf={nameOf} />}
    </OperationRow>
  );
  return (
    <>
      {problem !== null && (
        <div className="notice" role="status">
          <Icon name="off" />
          <span>
            {problem} {told !== null && 'What you see is as it was told last.'}
          </span>
          <button type="button" className="button" onClick={refresh}>
            Ask again
          </button>
        </div>
      )}
      {told !== null && told.dead.length > 0 && (
        <List id="attention" title="Needs attention" rows={told.dead} row={row}>
          <p className="quiet">Sync has stopped trying. Everything else goes on.</p>
        </List>
      )}
      <List id="checks" title="Checks of the library" rows={told?.checks ?? []} row={row}>
        {told === null && problem === null && <p className="quiet">Asking …</p>}
        {told?.checks.length === 0 && <p className="quiet">The library has not been checked yet.</p>}
      </List>
      <List id="files-at-work" title="Files at work" rows={told?.files ?? []} row={row}>
        {told === null && problem === null && <p className="quiet">Asking …</p>}
        {told?.files.length === 0 && <p className="quiet">None right now. Changes arrive by themselves.</p>}
      </List>
      <p className="visually-hidden" role="status">
        {said}
      </p>
    </>
  );
}

function useNames(files: readonly FileUpdate[]): NameOf {
  const names = useMemo(() => new Map(files.map(({ fileId, path }) => [fileId, fileName(path)])), [files]);
  return useCallback((fileId) => names.get(fileId) ?? null, [names]);
}

function List(props: {
  id: string;
  title: string;
  rows: readonly Operation[];
  row: (operation: Operation) => ReactNode;
  children: ReactNode;
}): ReactNode {
  const { id, title, rows, row, children } = props;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
      <ul className="rows">{rows.map(row)}</ul>
      {rows.length >= mostListed && <p className="quiet">There are more; these are the newest.</p>}
    </section>
  );
}

/** What became of each file of a full sync; asked for once it is opened. */
function Items({ operation, nameOf }: { operation: Operation; nameOf: NameOf }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="items" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Its files</summary>
      {isOpen && <ItemList operation={operation} nameOf={nameOf} />}
    </details>
  );
}

function ItemList({
  operation: { id, itemsDone, itemsTotal },
  nameOf,
}: {
  operation: Operation;
  nameOf: NameOf;
}): ReactNode {
  const ask = useCallback(() => getJson<{ items: Item[] }>(`/sync/operations/${id}/items`), [id]);
  const { told, problem, refresh } = useAsked(ask, 'Its files cannot be told right now.');
  useEffect(refresh, [refresh, itemsDone]);
  const others = told === null ? 0 : itemsTotal - told.items.length;
  return (
    <>
      {problem !== null && <p className="problem">{problem}</p>}
      {told === null && problem === null && <p className="quiet">Asking …</p>}
      <ul>
        {told?.items.map((item) => {
          const { title, problem: reason, ...words } = itemWords(item, nameOf);
          return (
            <li key={item.fileId}>
              <span className="row-words">
                <span>{title}</span>
                {reason !== null && <span className="quiet">{reason}</span>}
              </span>
              <State {...words} />
            </li>
          );
        })}
      </ul>
      {others > 0 && <p className="quiet">And {others} more.</p>}
    </>
  );
}
