import type { FederationFeed } from '@boardwire/contracts';
import { feedsOf } from './federation-requests.ts';
import { alias } from './share-board.ts';
import type { DemoSite } from './three-sites.ts';

/** How many events a site has, of how many that were accepted anywhere. */
export interface Standing {
  name: string;
  has: number;
  lacks: number;
}

export const heldEvents = (feeds: readonly FederationFeed[]): number => feeds.reduce((sum, { n }) => sum + n, 0);

export async function standings(sites: readonly DemoSite[], accepted: () => number): Promise<Standing[]> {
  return Promise.all(
    sites.map(async (site) => {
      const feeds = await feedsOf(site, alias);
      const waiting = feeds.reduce((sum, feed) => sum + feed.waiting, 0);
      const has = heldEvents(feeds) - waiting;
      return { name: site.name, has, lacks: Math.max(0, accepted() - has) };
    }),
  );
}

export function standingText(standing: readonly Standing[]): string {
  return standing
    .map(({ name, has, lacks }) => `${name} ${has}${lacks === 0 ? ' ✔' : ` (lacks ${lacks})`}`)
    .join('   ');
}

/** Shows how it stands until it is stopped: in one line of a terminal, elsewhere as a line every second. */
export function showLag(
  sites: readonly DemoSite[],
  accepted: () => number,
  out: NodeJS.WriteStream,
): { stop(): Promise<void> } {
  let isOver = false;
  const everyMs = out.isTTY ? 250 : 1_000;
  const show = async (): Promise<void> => {
    let shown = '';
    while (!isOver) {
      const text = `  ${standingText(await standings(sites, accepted))}`;
      if (out.isTTY) out.write(`\r\u001b[2K${text}`);
      else if (text !== shown) out.write(`${text}\n`);
      shown = text;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    if (out.isTTY) out.write('\r\u001b[2K');
  };
  const showing = show();
  return {
    stop: async () => {
      isOver = true;
      await showing;
    },
  };
}
