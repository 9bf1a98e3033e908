import type {
  FederationEvidence,
  FederationPeer,
  FederationRoom,
  FederationSite,
  OpenInvitation,
} from '@boardwire/contracts';
import { useCallback, useEffect, useState } from 'react';
import { errorText } from '../../ui/error-text.ts';
import type { FederationApi } from './federation-api.ts';

/** All that the screen shows, of one moment. */
export interface FederationView {
  site: FederationSite;
  rooms: FederationRoom[];
  invitations: OpenInvitation[];
  peers: FederationPeer[];
  evidence: FederationEvidence[];
}

export interface FederationWatch {
  view: FederationView | undefined;
  failure: string | undefined;
  /** Looks at once, since something was decided. */
  look: () => void;
}

const everyMs = 2_000;

/** How federation is doing, asked again every two seconds while somebody looks. */
export function useFederation(api: FederationApi): FederationWatch {
  const [state, setState] = useState<Pick<FederationWatch, 'view' | 'failure'>>({
    view: undefined,
    failure: undefined,
  });
  const [turn, setTurn] = useState(0);
  const look = useCallback(() => setTurn((before) => before + 1), []);
  useEffect(() => {
    const abort = new AbortController();
    const read = () => {
      if (document.visibilityState === 'hidden') return;
      readAll(api, abort.signal).then(
        (view) => setState({ view, failure: undefined }),
        (error: unknown) => {
          if (!abort.signal.aborted) setState((before) => ({ ...before, failure: errorText(error) }));
        },
      );
    };
    read();
    const timer = setInterval(read, everyMs);
    document.addEventListener('visibilitychange', read);
    return () => {
      abort.abort();
      clearInterval(timer);
      document.removeEventListener('visibilitychange', read);
    };
  }, [api, turn]);
  return { ...state, look };
}

async function readAll(api: FederationApi, signal: AbortSignal): Promise<FederationView> {
  const [site, rooms, invitations, peers, evidence] = await Promise.all([
    api.site(signal),
    api.rooms(signal),
    api.invitations(signal),
    api.peers(signal),
    api.evidence(signal),
  ]);
  return { site, rooms, invitations, peers, evidence };
}
