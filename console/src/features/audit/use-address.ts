import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'react-router';
import { addressOf, searchOf, type ExplorerAddress } from './explorer-address.ts';

/** What the address says, and the way to change it. Each change is a step back in the browser, unless it replaces. */
export function useAddress() {
  const [search, setSearch] = useSearchParams();
  const key = search.toString();
  const address = useMemo(() => addressOf(new URLSearchParams(key)), [key]);
  const change = useCallback(
    (part: Partial<ExplorerAddress>, { replace = false } = {}) => {
      setSearch((now) => searchOf({ ...addressOf(now), ...part }), { replace });
    },
    [setSearch],
  );
  return { address, change };
}
