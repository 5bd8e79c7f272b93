import type { Row } from '@soleil/sync-client';
import type { FileUpdate } from '@soleil/sync-protocol';
import { useCallback, type ReactNode } from 'react';
import { Icon, type IconName } from '../design/icons.js';
import { Popover } from '../design/popover.js';
import { useNow } from '../design/use-now.js';
import { isKept } from '../library/file-words.js';
import { getJson } from '../session/api.js';
import { usePolled } from '../session/use-polled.js';
import { useStand } from '../session/use-session.js';
import {
  deviceWords,
  latestDevices,
  memberWords,
  summary,
  type MemberReceipts,
  type ReceiptWords,
} from './receipt-words.js';

const everyMs = 2_000;
const devicesNamed = 3;

/** Who has the version that is on display; asked for as long as it is open. */
export function Receipts({ row }: { row: Row<FileUpdate> }): ReactNode {
  return (
    <Popover
      className="receipts"
      label="Who has it?"
      button={
        <>
          <Icon name="people" /> Who has it?
        </>
      }
    >
      {/* Another version is another question: what was told of the one before must not stand there for it. */}
      {() => <Told key={row.id} messageId={row.id} isKept={isKept(row.data)} />}
    </Popover>
  );
}

function Told({ messageId, isKept: kept }: { messageId: string; isKept: boolean }): ReactNode {
  const ask = useCallback(
    () => getJson<{ members: MemberReceipts[] }>(`/sync/messages/${encodeURIComponent(messageId)}/delivery`),
    [messageId],
  );
  const { told, problem } = usePolled(ask, everyMs, 'It cannot be told right now.');
  const now = useNow(everyMs);
  const members = told?.members.map((member) => ({ member, words: memberWords(member, kept, now) })) ?? [];
  return (
    <>
      {problem !== null && (
        <p className="notice" role="status">
          <Icon name="off" />
          <span>
            {problem} {told !== null && 'What you see is as it was told last.'}
          </span>
        </p>
      )}
      {told === null && problem === null && <p className="quiet">Asking …</p>}
      {told !== null && (
        <p className="popover-title" role="status">
          {summary(
            members.map(({ words }) => words),
            kept,
          )}
        </p>
      )}
      <ul className="receipt-list" aria-label="Members">
        {members.map(({ member, words }) => (
          <li key={member.userId}>
            <p>
              {member.name} <span className="quiet">{member.instrument}</span>
            </p>
            <State words={words} />
            {member.devices.length > 1 && <Devices member={member} isKept={kept} now={now} />}
          </li>
        ))}
      </ul>
    </>
  );
}

function Devices({ member, isKept: kept, now }: { member: MemberReceipts; isKept: boolean; now: number }): ReactNode {
  const { deviceId: own } = useStand().client;
  const named = latestDevices(member.devices, devicesNamed);
  const others = member.devices.length - named.length;
  return (
    <ul className="receipt-devices" aria-label={`Devices of ${member.name}`}>
      {named.map((device) => (
        <li key={device.deviceId}>
          <span>{device.deviceId === own ? 'This device' : (device.name ?? 'A device')}</span>
          <State words={deviceWords(device, kept, now)} />
        </li>
      ))}
      {others > 0 && <li className="quiet">and {others} more, not seen since</li>}
    </ul>
  );
}

const icons: Record<ReceiptWords['tone'], IconName> = { good: 'live', busy: 'busy', warn: 'off', quiet: 'stopped' };

function State({ words: { tone, state, detail } }: { words: ReceiptWords }): ReactNode {
  return (
    <p className={`receipt state-${tone}`}>
      <Icon name={icons[tone]} />
      <span>
        {state}
        {detail !== null && <span className="quiet">, {detail}</span>}
      </span>
    </p>
  );
}
