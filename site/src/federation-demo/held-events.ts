import { createHash } from 'node:crypto';
import type { HistoryItem } from '@boardwire/contracts';
import type { HeldEvent } from './agreement.ts';
import { board } from './share-board.ts';
import type { DemoSite } from './three-sites.ts';

const pageMax = 500;

/** Everything of the shared subjects that a site's board has, in its order. */
export async function heldBy({ client }: DemoSite): Promise<HeldEvent[]> {
  const held: HeldEvent[] = [];
  for (let after: string | undefined = 'start'; after !== undefined;) {
    // oxlint-disable-next-line no-await-in-loop -- a page after the other
    const page = await client.history(board, { subjects: ['AxonChat.>'], after, limit: pageMax });
    held.push(...page.events.map(heldEvent));
    after = page.next ?? undefined;
  }
  return held;
}

function heldEvent({ id, source, type, subject, time, data, author, authorname, origin }: HistoryItem): HeldEvent {
  const content = JSON.stringify([id, source, type, subject, time, author, authorname, data]);
  return { id, origin, hash: createHash('sha256').update(content).digest('hex') };
}
