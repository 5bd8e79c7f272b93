import { SyncClient } from '@soleil/sync-client';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { SyncProvider, useChannel, useConnection, useFollow, useRecentChanges, useRows } from '../src/index.js';

function Stand() {
  const [channels, setChannels] = useState(['band:b1', 'band:b1:Bb']);
  useFollow(channels);
  const { state } = useConnection();
  const part = useChannel('band:b1:Bb');
  const rows = useRows<string>(channels);
  const { changes, dismiss } = useRecentChanges();
  return (
    <>
      <output id="connection">{state}</output>
      <output id="part">{part.state}</output>
      <output id="rows">
        {[...rows.values()]
          .map(({ key, data }) => `${key}=${data}`)
          .sort()
          .join(' ')}
      </output>
      <output id="changes">{changes.map(({ message }) => message.key).join(' ')}</output>
      <button id="seen" onClick={() => dismiss('file:1')} />
      <button id="leave" onClick={() => setChannels(['band:b1'])} />
    </>
  );
}

/** Shows what a client of this server has. */
export const show = (url: string): void => {
  const client = new SyncClient({ url, token: 'good' });
  client.connect();
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <SyncProvider client={client}>
        <Stand />
      </SyncProvider>
    </StrictMode>,
  );
};
