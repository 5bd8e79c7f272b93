import { SyncClient } from '@soleil/sync-client';
import { renderToString } from 'react-dom/server';
import { SyncProvider, useChannel, useConnection, useRecentChanges, useRows } from './index.js';

function Everything() {
  const { state } = useConnection();
  const { rows } = useChannel('band:b1');
  const { changes } = useRecentChanges();
  return `${state} ${rows.size} ${useRows(['band:b1', 'system']).size} ${changes.length}`;
}

test('renders on a server as a client that has not connected', () => {
  const client = new SyncClient({ url: 'http://127.0.0.1:9', token: 'none' });
  const html = renderToString(
    <SyncProvider client={client}>
      <Everything />
    </SyncProvider>,
  );
  expect(html).toBe('offline 0 0 0');
});

test('says what is missing to a hook without a provider', () => {
  expect(() => renderToString(<Everything />)).toThrow('<SyncProvider client={…}>');
});
