import type { AuditEntry } from '@boardwire/contracts';
import { useEffect, useState } from 'react';
import { errorText } from '../../ui/error-text.ts';
import { shortMoment } from '../../ui/time.ts';
import type { AuditApi } from './audit-api.ts';
import classes from './entry-drawer.module.css';
import { whatOf } from './entry-text.ts';
import type { ExplorerAddress } from './explorer-address.ts';

interface NeighboursProps {
  api: AuditApi;
  seq: number;
  change: (part: Partial<ExplorerAddress>, options?: { replace?: boolean }) => void;
}

const shown = 9;

/** What was logged right before and after, whatever the filter. */
export function Neighbours({ api, seq, change }: NeighboursProps) {
  const [entries, setEntries] = useState<readonly AuditEntry[]>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    const abort = new AbortController();
    api.neighbours(seq, shown, abort.signal).then(
      (page) => setEntries(page.entries),
      (error: unknown) => {
        if (!abort.signal.aborted) setFailure(errorText(error));
      },
    );
    return () => abort.abort();
  }, [api, seq]);
  return (
    <section aria-label="Neighbours">
      <h3 className={classes.section}>Before and after it in the log</h3>
      {failure !== undefined && <p className={classes.absence}>{failure}</p>}
      <ol className={classes.neighbours}>
        {entries?.map((entry) => (
          <li key={entry.seq}>
            <button
              type="button"
              className={classes.neighbour}
              aria-current={entry.seq === seq ? 'true' : undefined}
              onClick={() => change({ entry: entry.seq }, { replace: true })}
            >
              <span className={classes.dimmed}>{entry.seq}</span>
              <span>{whatOf(entry)}</span>
              <span className={classes.dimmed}>{shortMoment(Date.parse(entry.time))}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
