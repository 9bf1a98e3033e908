import type { SeenLog } from './judge-growth.ts';

// `localStorage`, not the tab's own: a log that is shown otherwise next week is to be noticed next week. Nothing in it is
// private, checkpoints least of all.
const key = 'boardwire.audit.seen';

export function loadSeenLog(): SeenLog | undefined {
  try {
    const value = JSON.parse(localStorage.getItem(key) ?? 'null') as Partial<SeenLog> | null;
    return typeof value?.note === 'string' && typeof value.keyLine === 'string' ? (value as SeenLog) : undefined;
  } catch {
    return undefined;
  }
}

export function saveSeenLog(seen: SeenLog): void {
  try {
    localStorage.setItem(key, JSON.stringify(seen));
  } catch {
    // Storage is blocked or full: the next visit is a first one.
  }
}
