import { useMediaQuery } from '@mantine/hooks';
import { useEffect, useMemo, useRef, useState, type RefObject } from 'react';
import { useStore } from '../../realtime/store.ts';
import type { AuditApi } from './audit-api.ts';
import classes from './audit-explorer.module.css';
import { EntryDrawer } from './entry-drawer.tsx';
import { EntryList } from './entry-list.ts';
import { EntryTable } from './entry-table.tsx';
import { ExplorerToolbar } from './explorer-toolbar.tsx';
import type { ExplorerAddress, Filter } from './explorer-address.ts';
import { FacetPanel } from './facet-panel.tsx';
import { FilterChips } from './filter-chips.tsx';
import { FilterForm } from './filter-form.tsx';
import { HealthStrip } from './health-strip.tsx';
import { useAddress } from './use-address.ts';
import { useFacets } from './use-facets.ts';
import { LogWatch } from './verify/log-watch.ts';

/** The whole screen: strip, filters, facets, table, drawer. All that is chosen stands in the address. */
export function AuditExplorer({ api }: { api: AuditApi }) {
  const { address, change } = useAddress();
  const { filter, order, entry } = address;
  const filterKey = JSON.stringify(filter);
  const { list, view } = useEntryList(api, filterKey, address);
  const watch = useMemo(() => new LogWatch(api), [api]);
  const facets = useFacets(api, filterKey, address.isLive && !view.isPaused);
  const [isFilterOpen, setFilterOpen] = useState(false);
  const table = useRef<HTMLDivElement>(null);

  const first = view.entries[0]?.seq;
  useEffect(() => {
    if (entry === 'first' && first !== undefined) change({ entry: first }, { replace: true });
  }, [entry, first, change]);

  const openSeq = typeof entry === 'number' ? entry : undefined;
  useReturnToRow(table, openSeq);
  // Where the drawer covers all else, nothing behind it may be reached.
  const isCovered = useMediaQuery('(max-width: 62em)') && openSeq !== undefined;

  return (
    <>
      <div inert={isCovered}>
        <HealthStrip api={api} watch={watch} />
        <ExplorerToolbar
          {...{ api, list, view, address, change }}
          isFilterOpen={isFilterOpen}
          onFilterToggle={() => setFilterOpen(!isFilterOpen)}
        />
        {isFilterOpen && (
          <FilterForm
            filter={filter}
            facets={facets.answer?.facets}
            onApply={(next) => change({ filter: next })}
            onClose={() => setFilterOpen(false)}
          />
        )}
        <FilterChips filter={filter} onChange={(next) => change({ filter: next })} />
      </div>
      <div className={classes.body} data-open={openSeq !== undefined || undefined}>
        <FacetPanel filter={filter} facets={facets} onChange={(next) => change({ filter: next })} />
        <EntryTable
          ref={table}
          isCovered={isCovered}
          {...{ list, view, order }}
          openSeq={openSeq}
          onOpen={(seq) => change({ entry: seq }, { replace: openSeq !== undefined })}
        />
        {openSeq !== undefined && (
          <EntryDrawer
            key={openSeq}
            {...{ api, watch, change }}
            seq={openSeq}
            known={view.entries.find(({ seq }) => seq === openSeq)}
            onClose={() => change({ entry: undefined })}
          />
        )}
      </div>
    </>
  );
}

function useEntryList(api: AuditApi, filterKey: string, { order, isLive }: ExplorerAddress) {
  // By its text: an address that changes in another part must not begin the list again.
  const list = useMemo(
    () => new EntryList(api, { filter: JSON.parse(filterKey) as Filter, order }),
    [api, filterKey, order],
  );
  useEffect(() => list.open(), [list]);
  const view = useStore(list.view);
  const isReady = view.size !== undefined;
  useEffect(() => list.follow(isLive && isReady), [list, isLive, isReady]);
  return { list, view };
}

/** When the drawer closes and takes the focus with it, back to the row it was opened from; else to the first. */
function useReturnToRow(table: RefObject<HTMLElement | null>, openSeq: number | undefined): void {
  const before = useRef(openSeq);
  useEffect(() => {
    const closed = openSeq === undefined ? before.current : undefined;
    before.current = openSeq;
    if (closed === undefined || document.activeElement !== document.body) return;
    const row = table.current?.querySelector<HTMLElement>(`[data-seq="${closed}"]`);
    (row ?? table.current?.querySelector<HTMLElement>('[data-seq]'))?.focus();
  }, [table, openSeq]);
}
