import type { AuditHealth } from '@boardwire/contracts';
import { useEffect, useState } from 'react';
import { errorText } from '../../ui/error-text.ts';
import type { AuditApi } from './audit-api.ts';

export interface HealthView {
  health: AuditHealth | undefined;
  /** When it was read, by this machine's clock. */
  readAt: number;
  failure: string | undefined;
}

const everyMs = 5_000;

/** How the log is doing, asked again every few seconds while somebody looks. */
export function useHealth(api: AuditApi): HealthView {
  const [view, setView] = useState<HealthView>({ health: undefined, readAt: 0, failure: undefined });
  useEffect(() => {
    const abort = new AbortController();
    const look = () => {
      if (document.visibilityState === 'hidden') return;
      api.health(abort.signal).then(
        (health) => setView({ health, readAt: Date.now(), failure: undefined }),
        (error: unknown) => {
          if (!abort.signal.aborted) setView((before) => ({ ...before, failure: errorText(error) }));
        },
      );
    };
    look();
    const timer = setInterval(look, everyMs);
    document.addEventListener('visibilitychange', look);
    return () => {
      abort.abort();
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [api]);
  return view;
}
