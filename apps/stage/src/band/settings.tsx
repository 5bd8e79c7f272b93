import { useCallback, useId, useState, type ReactNode } from 'react';
import { ApiError, getJson, put } from '../session/api.js';
import { useAsked } from '../session/use-asked.js';
import { changesIn, filledFrom, typeGroups, type Filled, type GroupLabel, type SettingsView } from './band-settings.js';

/** How the band is synchronised, for its leaders to change. */
export function Settings({ bandId }: { bandId: string }): ReactNode {
  const path = `/sync/bands/${bandId}/settings`;
  const ask = useCallback(() => getJson<SettingsView>(path), [path]);
  const { told, problem, refresh } = useAsked(ask, 'The settings cannot be told right now.');
  const [said, setSaid] = useState('');
  return (
    <section aria-labelledby="settings">
      <h2 id="settings">Settings</h2>
      {told === null && <p className={problem === null ? 'quiet' : 'problem'}>{problem ?? 'Asking …'}</p>}
      {told !== null && (
        <Form
          key={JSON.stringify(told.settings)}
          view={told}
          touched={() => setSaid('')}
          save={async (filled) => {
            const answer = (await put(path, changesIn(filled, told.settings))) as { operationId: string | null };
            setSaid(answer.operationId === null ? 'Saved.' : 'Saved. Every file is being checked for it.');
            refresh();
          }}
        />
      )}
      <p className="settings-said" role="status">
        {said}
      </p>
    </section>
  );
}

function Form(props: { view: SettingsView; touched: () => void; save: (filled: Filled) => Promise<void> }): ReactNode {
  const { view, touched, save } = props;
  const [filled, setFilled] = useState(() => filledFrom(view.settings));
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const fill = (change: Partial<Filled>): void => {
    setFilled({ ...filled, ...change });
    setFailure(null);
    touched();
  };
  const isNothing = !filled.isEveryType && filled.groups.length === 0;
  const submit = async (): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      await save(filled);
    } catch (error) {
      setFailure(error instanceof ApiError ? error.error.message : 'That could not be saved. Try again.');
    } finally {
      setBusy(false);
    }
  };
  const isChanged = Object.keys(changesIn(filled, view.settings)).length > 0;
  const standard = filledFrom(view.defaults);
  return (
    <form
      className="settings"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Amount
        label="Look for changes every"
        unit="minutes"
        least={0.25}
        most={10_080}
        standard={standard.minutes}
        value={filled.minutes}
        change={(minutes) => fill({ minutes })}
      >
        Changes arrive by themselves. This finds what was missed. Left empty: every {standard.minutes} minutes.
      </Amount>
      <Types filled={filled} fill={fill} />
      <SameName filled={filled} fill={fill} />
      <Amount
        label="Largest file"
        unit="MB"
        least={0.01}
        most={1_000_000}
        standard="No limit"
        value={filled.megabytes}
        change={(megabytes) => fill({ megabytes })}
      >
        Larger files stay in the drive, and take no room on the band’s devices. Left empty: no limit.
      </Amount>
      <Amount
        label="Files to work on in a minute, at most"
        unit="files"
        least={1}
        most={1_000_000}
        step={1}
        standard={standard.filesPerMinute || 'No limit'}
        value={filled.filesPerMinute}
        change={(filesPerMinute) => fill({ filesPerMinute })}
      >
        For a drive that slows you down. More than these wait for the next minute. Left empty:{' '}
        {standard.filesPerMinute || 'no limit'}.
      </Amount>
      {isNothing && <p className="problem">Choose at least one type of files.</p>}
      {failure !== null && (
        <p className="problem" role="alert">
          {failure}
        </p>
      )}
      <button className="button button-primary" disabled={isBusy || isNothing || !isChanged}>
        {isBusy ? 'Saving …' : 'Save settings'}
      </button>
    </form>
  );
}

interface Part {
  filled: Filled;
  fill: (change: Partial<Filled>) => void;
}

function Amount(props: {
  label: string;
  unit: string;
  least: number;
  most: number;
  step?: number | 'any';
  /** What it is when nothing is entered. */
  standard: string;
  value: string;
  change: (value: string) => void;
  children: ReactNode;
}): ReactNode {
  const { label, unit, least, most, step = 'any', standard, value, change, children } = props;
  const id = useId();
  return (
    <div className="setting">
      <label htmlFor={id}>{label}</label>
      <span className="setting-amount">
        <input
          id={id}
          type="number"
          inputMode="decimal"
          step={step}
          min={least}
          max={most}
          placeholder={standard}
          aria-describedby={`${id}-help`}
          value={value}
          onChange={({ currentTarget }) => change(currentTarget.value)}
        />
        {unit}
      </span>
      <p className="quiet" id={`${id}-help`}>
        {children}
      </p>
    </div>
  );
}

function Types({ filled, fill }: Part): ReactNode {
  const { isEveryType, groups } = filled;
  const toggle = (label: GroupLabel): void =>
    fill({
      groups: typeGroups.map((group) => group.label).filter((each) => groups.includes(each) !== (each === label)),
    });
  return (
    <fieldset className="setting">
      <legend>Files that the band’s devices get</legend>
      <label className="setting-choice">
        <input type="radio" name="types" checked={isEveryType} onChange={() => fill({ isEveryType: true })} />
        All files in the folder
      </label>
      <label className="setting-choice">
        <input type="radio" name="types" checked={!isEveryType} onChange={() => fill({ isEveryType: false })} />
        Only these:
      </label>
      {!isEveryType && (
        <div className="setting-types">
          {typeGroups.map(({ label, types }) => (
            <label key={label} className="setting-choice">
              <input type="checkbox" checked={groups.includes(label)} onChange={() => toggle(label)} />
              <span>
                {label} <span className="quiet">{types.map((type) => `.${type}`).join(' ')}</span>
              </span>
            </label>
          ))}
        </div>
      )}
      <p className="quiet">
        What is left out leaves everybody’s devices. It stays in the drive, and comes back when you choose it again.
      </p>
    </fieldset>
  );
}

function SameName({ filled, fill }: Part): ReactNode {
  return (
    <fieldset className="setting">
      <legend>Several files with one name in one folder</legend>
      {sameNameChoices.map(([choice, words]) => (
        <label key={choice} className="setting-choice">
          <input
            type="radio"
            name="same-name"
            checked={filled.sameName === choice}
            onChange={() => fill({ sameName: choice })}
          />
          {words}
        </label>
      ))}
      <p className="quiet">
        Google Drive can keep both when somebody uploads a file again. The older ones stay in the drive, and come back when
        the newest goes.
      </p>
    </fieldset>
  );
}

const sameNameChoices = [
  ['all', 'Show all of them'],
  ['newest', 'Show only the newest'],
] as const;
