import type { KeptSession } from '@boardwire/client';

const key = 'boardwire.session';

/*
 * `sessionStorage`, not `localStorage`: it survives a reload and ends with the tab, so nobody finds a stranger's chat
 * open on a shared machine. And refresh tokens rotate: two tabs that share one would each present what the other has
 * used up, which the site must take for theft. So every tab has a session of its own.
 */

export function loadSession(): KeptSession | undefined {
  try {
    const text = sessionStorage.getItem(key);
    const value = text === null ? undefined : (JSON.parse(text) as Partial<KeptSession> | null);
    return typeof value?.refreshToken === 'string' && value.user !== undefined ? (value as KeptSession) : undefined;
  } catch {
    return undefined;
  }
}

export function saveSession(session: KeptSession | undefined): void {
  try {
    if (session === undefined) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(session));
  } catch {
    // Storage is blocked or full: the session lives until the page is left.
  }
}
