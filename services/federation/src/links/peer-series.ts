import type { PeerSeries } from '../metrics.ts';
import type { Links } from './links.ts';

/** What the metrics tell of each peer. */
export function peerSeries(links: Links): PeerSeries[] {
  return links.peers.map(({ site, state, dialAt }) => {
    const status = links.of(site);
    return {
      peer: site,
      state,
      lagEvents: status?.lagEvents ?? 0,
      lagSeconds: status?.lagSeconds ?? null,
      clockOffsetSeconds: status?.clockOffsetSeconds ?? null,
      backoffSeconds: Math.max(0, (dialAt?.getTime() ?? 0) - Date.now()) / 1_000,
    };
  });
}
