import type { RedactedEvent } from '@boardwire/contracts';
import type { Queryable } from '@boardwire/database';
import type { Signature } from '../feeds/feed-items.ts';

/** A removal that its site had the right to, as it was signed. */
export interface Redaction {
  redacts: RedactedEvent;
  by: string;
  header: Buffer;
  sigs: readonly Signature[];
}

/** From here on nothing of these events is told by this service, and what it holds of them goes. The first proof stays. */
export async function keepRedactions(
  transaction: Queryable,
  room: string,
  redactions: readonly Redaction[],
): Promise<void> {
  if (redactions.length === 0) return;
  await transaction.query(
    `INSERT INTO redaction (room, site, source, id, by, header, sigs)
     SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::jsonb[])
     ON CONFLICT DO NOTHING`,
    [
      room,
      redactions.map(({ redacts }) => redacts.origin),
      redactions.map(({ redacts }) => redacts.source),
      redactions.map(({ redacts }) => redacts.id),
      redactions.map(({ by }) => by),
      redactions.map(({ header }) => header),
      redactions.map(({ sigs }) => JSON.stringify(sigs)),
    ],
  );
  await eraseEvents(
    transaction,
    room,
    redactions.map(({ redacts }) => redacts),
  );
}

/** Takes the data of events out of the feeds; header and hash stay, so that each feed is as verifiable as before. */
export async function eraseEvents(
  transaction: Queryable,
  room: string,
  events: readonly RedactedEvent[],
): Promise<void> {
  if (events.length === 0) return;
  await transaction.query(
    `UPDATE feed_item f SET data = NULL, salt = NULL FROM unnest($2::text[], $3::text[], $4::text[]) AS e (site, source, id)
     WHERE f.room = $1 AND (f.site, f.source, f.id) = (e.site, e.source, e.id) AND f.data IS NOT NULL`,
    [room, events.map(({ origin }) => origin), events.map(({ source }) => source), events.map(({ id }) => id)],
  );
}
