import type { AuditFacets } from '@boardwire/contracts';
import { useCallback, useEffect, useState } from 'react';
import { errorText } from '../../ui/error-text.ts';
import type { AuditApi } from './audit-api.ts';
import type { Filter } from './explorer-address.ts';

export interface FacetsView {
  answer: AuditFacets | undefined;
  isLoading: boolean;
  failure: string | undefined;
  reload: () => void;
}

/** While the log is followed, counts go along at the pace of a reader. */
const liveEveryMs = 15_000;

/** Counts of the entries that match; those of the filter before stay while the new ones are on their way. */
export function useFacets(api: AuditApi, filterKey: string, isLive: boolean): FacetsView {
  const [state, setState] = useState<Omit<FacetsView, 'reload'>>({
    answer: undefined,
    isLoading: true,
    failure: undefined,
  });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...before, isLoading: true, failure: undefined }));
    api.facets(JSON.parse(filterKey) as Filter, abort.signal).then(
      (answer) => setState({ answer, isLoading: false, failure: undefined }),
      (error: unknown) => {
        if (!abort.signal.aborted) setState({ answer: undefined, isLoading: false, failure: errorText(error) });
      },
    );
    return () => abort.abort();
  }, [api, filterKey, round]);
  useEffect(() => {
    if (!isLive) return undefined;
    const timer = setInterval(() => setRound((many) => many + 1), liveEveryMs);
    return () => clearInterval(timer);
  }, [isLive]);
  const reload = useCallback(() => setRound((many) => many + 1), []);
  return { ...state, reload };
}
