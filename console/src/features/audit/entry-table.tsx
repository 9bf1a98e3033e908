import { Button, Loader } from '@mantine/core';
import { useState, type KeyboardEvent, type MouseEvent, type Ref, type SyntheticEvent } from 'react';
import { Icon } from '../../ui/icon.tsx';
import { Notice } from '../../ui/notice.tsx';
import { entriesMax, type EntryList, type ListView } from './entry-list.ts';
import { EntryRow } from './entry-row.tsx';
import classes from './entry-table.module.css';
import type { Order } from './explorer-address.ts';

interface EntryTableProps {
  list: EntryList;
  view: ListView;
  order: Order;
  openSeq: number | undefined;
  onOpen: (seq: number) => void;
  isCovered: boolean;
  ref: Ref<HTMLDivElement>;
}

/** Rows with a roving focus: one stop for Tab, arrows from row to row, Enter opens, Escape closes. */
export function EntryTable({ list, view, order, openSeq, onOpen, isCovered, ref }: EntryTableProps) {
  const { entries } = view;
  const [activeSeq, setActiveSeq] = useState<number>();
  const isActiveShown = entries.some(({ seq }) => seq === activeSeq);
  const stop = isActiveShown ? activeSeq : entries[0]?.seq;
  const seqAt = (event: SyntheticEvent) => {
    const seq = (event.target as HTMLElement).closest<HTMLElement>('[data-seq]')?.dataset['seq'];
    return seq === undefined ? undefined : Number(seq);
  };
  const onClick = (event: MouseEvent<HTMLElement>) => {
    const seq = seqAt(event);
    if (seq !== undefined) onOpen(seq);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-seq]');
    if (row === null || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Enter' || event.key === ' ') onOpen(Number(row.dataset['seq']));
    else if (!moveFocus(event.currentTarget, row, event.key)) return;
    event.preventDefault();
  };
  return (
    <div className={classes.scroll} ref={ref} aria-busy={view.isLoading} inert={isCovered}>
      {entries.length > 0 && (
        <div
          role="grid"
          aria-label="Entries"
          aria-rowcount={-1}
          onKeyDown={onKeyDown}
          onClick={onClick}
          onFocus={(event) => setActiveSeq(seqAt(event))}
        >
          <div role="row" className={classes.head}>
            {columns.map((name) => (
              <span key={name} role="columnheader">
                {name}
              </span>
            ))}
          </div>
          {entries.map((entry) => (
            <EntryRow
              key={entry.seq}
              entry={entry}
              isStop={entry.seq === stop}
              isOpen={entry.seq === openSeq}
              isFresh={entry.seq >= view.liveFrom}
            />
          ))}
        </div>
      )}
      <Foot {...{ list, view, order }} />
    </div>
  );
}

const columns = ['No.', 'Time', 'What', 'Outcome', 'Actor', 'Where', 'Content'];
const rowsPerPage = 15;

/** Moves to another row by key; false when the key is not about rows. */
function moveFocus(grid: HTMLElement, row: HTMLElement, key: string): boolean {
  const rows = [...grid.querySelectorAll<HTMLElement>('[data-seq]')];
  const at = rows.indexOf(row);
  const places: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + rowsPerPage,
    PageUp: at - rowsPerPage,
    Home: 0,
    End: rows.length - 1,
  };
  const place = places[key];
  if (place === undefined) return false;
  rows[Math.min(Math.max(place, 0), rows.length - 1)]?.focus();
  return true;
}

/** What stands below the rows, or instead of them. */
function Foot({ list, view, order }: { list: EntryList; view: ListView; order: Order }) {
  const { entries, isLoading, failure, hasMore, isCut, tail } = view;
  const direction = order === 'newest' ? 'older' : 'newer';
  if (failure !== undefined) return <Failure {...{ failure, list }} isWhole={entries.length === 0} />;
  if (isLoading && entries.length === 0) {
    return (
      <div className={classes.loading}>
        <Loader aria-label="Loading entries" />
      </div>
    );
  }
  if (entries.length === 0) {
    return (
      <Notice icon="search" title="No entry matches">
        {tail === undefined ? 'Take a condition away, or choose another day.' : 'What matches appears here at once.'}
      </Notice>
    );
  }
  return (
    <div className={classes.foot}>
      {hasMore && (
        // Not disabled meanwhile: a button that is would drop the focus.
        <Button variant="subtle" size="compact-sm" aria-disabled={isLoading} onClick={() => void list.loadMore()}>
          {isLoading ? 'Loading' : `Load ${direction} entries`}
        </Button>
      )}
      {isCut && `More match than the ${entriesMax} shown here: narrow the filter, or download them.`}
      {!hasMore && !isCut && `No ${direction} entry matches.`}
    </div>
  );
}

function Failure({ failure, list, isWhole }: { failure: string; list: EntryList; isWhole: boolean }) {
  const again = (
    <Button
      size="compact-sm"
      variant="default"
      leftSection={<Icon name="retry" size={14} />}
      onClick={() => (isWhole ? list.reload() : void list.loadMore())}
    >
      Try again
    </Button>
  );
  if (!isWhole) {
    return (
      <div className={classes.foot} role="alert">
        {failure} {again}
      </div>
    );
  }
  return (
    <Notice icon="alert" title="The entries could not be read" isError>
      <p>{failure}</p>
      {again}
    </Notice>
  );
}
