import type { FederationPeer } from '@boardwire/contracts';
import { shortMoment } from '../../ui/time.ts';

/** Enough to tell hashes apart by eye. */
export const shortHash = (hash: string) => hash.slice(0, 10);

/** Sites and rooms by the beginning and the end of their id. */
export const shortId = (id: string) => `${id.slice(0, 9)}…${id.slice(-4)}`;

/** A name is what the site says of itself; without one its id has to do. */
export const siteName = ({ site, name }: { site: string; name: string }) => (name === '' ? shortId(site) : name);

export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** A moment that has passed, by how long ago; by its date when that is long. */
export function agoText(time: string, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - Date.parse(time)) / 1_000);
  if (seconds < 5) return 'just now';
  return seconds < 86_400 ? `${durationText(seconds)} ago` : shortMoment(Date.parse(time));
}

export function lagText({ lagEvents, lagSeconds }: Pick<FederationPeer, 'lagEvents' | 'lagSeconds'>): string {
  if (lagSeconds === null) return 'not heard yet';
  if (lagEvents === 0) return 'up to date';
  const events = lagEvents === 1 ? '1 event' : `${lagEvents.toLocaleString()} events`;
  return `${events}, ${durationText(lagSeconds)}`;
}

const scopeWords = { read: 'gets events', write: 'adds its own', relay: 'passes on others’' } as const;

export const scopesText = (scopes: readonly (keyof typeof scopeWords)[]) =>
  scopes.map((scope) => scopeWords[scope]).join(', ');
