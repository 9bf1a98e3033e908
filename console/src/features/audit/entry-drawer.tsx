import { ActionIcon, Loader } from '@mantine/core';
import type { AuditEntry } from '@boardwire/contracts';
import { useEffect, useRef, useState } from 'react';
import { errorText } from '../../ui/error-text.ts';
import { Icon } from '../../ui/icon.tsx';
import type { AuditApi } from './audit-api.ts';
import { ContentView } from './content-view.tsx';
import classes from './entry-drawer.module.css';
import { EntryFields } from './entry-fields.tsx';
import { EntryLinks } from './entry-links.tsx';
import { whatOf } from './entry-text.ts';
import type { ExplorerAddress } from './explorer-address.ts';
import { Neighbours } from './neighbours.tsx';
import { RawJson } from './raw-json.tsx';
import { useEscape } from './use-escape.ts';
import { Verification } from './verification.tsx';
import type { LogWatch } from './verify/log-watch.ts';

export interface EntryDrawerProps {
  api: AuditApi;
  watch: LogWatch;
  seq: number;
  /** The entry when it is among those in the table. */
  known: AuditEntry | undefined;
  change: (part: Partial<ExplorerAddress>, options?: { replace?: boolean }) => void;
  onClose: () => void;
}

/** One entry beside the table. Not a dialog: one may go on in the table while it is open. */
export function EntryDrawer({ api, watch, seq, known, change, onClose }: EntryDrawerProps) {
  const { entry, failure } = useEntry(api, seq, known);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  useEscape(onClose);
  return (
    <aside className={classes.drawer} aria-label={`Entry ${seq}`}>
      <header className={classes.header}>
        <h2 ref={heading} tabIndex={-1} className={classes.heading}>
          {entry === undefined ? `Entry ${seq}` : `${whatOf(entry)}, entry ${seq}`}
        </h2>
        <ActionIcon variant="subtle" color="gray" onClick={onClose} aria-label="Close" title="Close (Esc)">
          <Icon name="close" />
        </ActionIcon>
      </header>
      {failure !== undefined && (
        <p role="alert" className={classes.failure}>
          {failure}
        </p>
      )}
      {entry === undefined && failure === undefined && (
        <div className={classes.loading}>
          <Loader aria-label="Loading the entry" />
        </div>
      )}
      {entry !== undefined && (
        <div className={classes.content}>
          <EntryLinks entry={entry} change={change} />
          <EntryFields entry={entry} />
          <ContentView entry={entry} />
          <Verification api={api} watch={watch} entry={entry} />
          <Neighbours api={api} seq={seq} change={change} />
          <RawJson entry={entry} />
        </div>
      )}
    </aside>
  );
}

/** What the table has is shown at once; anything else is fetched, such as the entry of a copied link. */
function useEntry(api: AuditApi, seq: number, known: AuditEntry | undefined) {
  const [fetched, setFetched] = useState<AuditEntry>();
  const [failure, setFailure] = useState<string>();
  const isKnown = known !== undefined;
  useEffect(() => {
    if (isKnown) return undefined;
    const abort = new AbortController();
    api.entry(seq, abort.signal).then(setFetched, (error: unknown) => {
      if (!abort.signal.aborted) setFailure(errorText(error));
    });
    return () => abort.abort();
  }, [api, seq, isKnown]);
  const entry = known ?? fetched;
  return { entry, failure: entry === undefined ? failure : undefined };
}
