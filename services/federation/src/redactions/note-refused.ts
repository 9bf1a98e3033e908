import type { FeedHeader } from '@boardwire/contracts';
import type { DecisionOutbox, Queryable } from '@boardwire/database';
import type { FeedPlace } from '../feeds/feed-items.ts';
import type { FeedTaking, Hole } from '../ingest/feed-taking.ts';
import type { Room } from '../rooms/room-store.ts';

/** Writes down, with the signed header as evidence, which redactions were not this site's to obey. */
export async function noteRefusedRedactions(
  transaction: Queryable,
  { id: room, board }: Pick<Room, 'id' | 'board'>,
  takings: readonly { feed: FeedPlace; taking: FeedTaking }[],
  decisions: DecisionOutbox | undefined,
): Promise<void> {
  for (const { feed, taking } of takings) {
    for (const hole of taking.holes.filter(({ reason }) => reason === 'redaction')) {
      const decision = { action: 'federation.redaction', outcome: 'refused', actor: feed.site, board } as const;
      // oxlint-disable-next-line no-await-in-loop -- three, and its site is suspended
      await decisions?.add(transaction, { ...decision, detail: evidenceIn(room, hole) });
    }
  }
}

function evidenceIn(room: string, { header, sigs, hash }: Hole) {
  const { epoch, oseq, redacts, author } = JSON.parse(header.toString()) as FeedHeader;
  const signed = { header: header.toString('base64url'), sigs: sigs.map(({ kid, sig }) => ({ kid, sig })) };
  return { room, epoch, oseq, author, hash: hash.toString('hex'), redacts: redacts ?? null, ...signed };
}
