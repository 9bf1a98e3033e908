import type { BoardwireClient } from '@boardwire/client';
import { useClient } from './client-context.tsx';

const keptByClient = new WeakMap<BoardwireClient, Map<string, unknown>>();

/**
 * Something that outlives its screen: what was read is still there when one comes back, and what could not be sent is not
 * forgotten. Made at the first call with the name; use few names.
 */
export function useKept<T>(name: string, create: () => T): T {
  const client = useClient();
  let kept = keptByClient.get(client);
  if (kept === undefined) keptByClient.set(client, (kept = new Map()));
  if (!kept.has(name)) kept.set(name, create());
  return kept.get(name) as T;
}
