import { BoardwireClient, type KeptSession } from '@boardwire/client';
import { createContext, useContext, useState, useSyncExternalStore, type ReactNode } from 'react';
import { loadSession, saveSession } from './session-storage.ts';

const ClientContext = createContext<BoardwireClient | undefined>(undefined);

/** One client for the page's life: it holds the session, the streams and what waits to be sent. */
export function ClientProvider({ children }: { children: ReactNode }) {
  const [client] = useState(createClient);
  return <ClientContext value={client}>{children}</ClientContext>;
}

export function useClient(): BoardwireClient {
  const client = useContext(ClientContext);
  if (client === undefined) throw new Error('useClient is used outside of ClientProvider');
  return client;
}

/** The session of this tab, or undefined; renders again when it is renewed or ends. */
export function useSession(): KeptSession | undefined {
  const client = useClient();
  return useSyncExternalStore(
    (onChange) => client.onSession(onChange),
    () => client.session,
  );
}

function createClient(): BoardwireClient {
  const session = loadSession();
  const client = new BoardwireClient({
    baseUrl: window.location.origin,
    ...(session === undefined ? {} : { session }),
  });
  client.onSession(saveSession);
  return client;
}
