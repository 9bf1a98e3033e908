import type { Queryable } from '@boardwire/database';

export interface FeedPlace {
  room: string;
  site: string;
  epoch: string;
}

export interface Signature {
  kid: string;
  sig: string;
}

/** An item as it is stored. */
export interface FeedItem {
  oseq: number;
  hash: Buffer;
  header: Buffer;
  sigs: readonly Signature[];
  salt: Buffer | null;
  data: Buffer | null;
  dsize: number;
  via: readonly string[];
  source: string;
  id: string;
  isRepeat: boolean;
  boardSeq: number | null;
}

/**
 * One statement for the whole batch. Its bytes travel in one piece that is cut there: an array of them would be written
 * and read as hex. `via` travels as JSON: Postgres has no ragged arrays.
 */
export async function insertItems(
  transaction: Queryable,
  { room, site, epoch }: FeedPlace,
  items: readonly FeedItem[],
): Promise<void> {
  if (items.length === 0) return;
  await transaction.query(
    `INSERT INTO feed_item (room, site, epoch, oseq, hash, header, sigs, salt, data, dsize, via, source, id, is_repeat, board_seq)
     SELECT $1, $2, $3, i.oseq,
            substring($4::bytea FROM i.start + 1 FOR 32),
            substring($4::bytea FROM i.start + 33 FOR i.header),
            i.sigs,
            substring($4::bytea FROM i.start + 33 + i.header FOR i.salt),
            substring($4::bytea FROM i.start + 33 + i.header + coalesce(i.salt, 0) FOR i.data),
            i.dsize, ARRAY(SELECT jsonb_array_elements_text(i.via)), i.source, i.id, i.is_repeat, i.board_seq
     FROM unnest($5::bigint[], $6::int[], $7::int[], $8::jsonb[], $9::int[], $10::int[], $11::int[], $12::jsonb[],
                 $13::text[], $14::text[], $15::boolean[], $16::bigint[])
       AS i (oseq, start, header, sigs, salt, data, dsize, via, source, id, is_repeat, board_seq)
     ORDER BY i.oseq`,
    [
      room,
      site,
      epoch,
      Buffer.concat(items.flatMap(bytesOf)),
      items.map(({ oseq }) => oseq),
      startsOf(items),
      items.map(({ header }) => header.length),
      items.map(({ sigs }) => JSON.stringify(sigs)),
      items.map(({ salt }) => salt?.length ?? null),
      items.map(({ data }) => data?.length ?? null),
      items.map(({ dsize }) => dsize),
      items.map(({ via }) => JSON.stringify(via)),
      items.map(({ source }) => source),
      items.map(({ id }) => id),
      items.map(({ isRepeat }) => isRepeat),
      items.map(({ boardSeq }) => boardSeq),
    ],
  );
}

const bytesOf = ({ hash, header, salt, data }: FeedItem) => [hash, header, salt ?? none, data ?? none];
const none = Buffer.alloc(0);

function startsOf(items: readonly FeedItem[]): number[] {
  let end = 0;
  return items.map((item) => {
    const start = end;
    for (const { length } of bytesOf(item)) end += length;
    return start;
  });
}

export const eventKey = ({ source, id }: { source: string; id: string }) => `${source}\n${id}`;

/** Which of these events the site has written into the room before, in any epoch. Neither part holds a line break. */
export async function knownEvents(
  transaction: Queryable,
  { room, site }: Pick<FeedPlace, 'room' | 'site'>,
  events: readonly { source: string; id: string }[],
): Promise<Set<string>> {
  if (events.length === 0) return new Set();
  const rows = await transaction.query<{ source: string; id: string }>(
    `SELECT f.source, f.id FROM feed_item f JOIN unnest($3::text[], $4::text[]) AS w (source, id) USING (source, id)
     WHERE f.room = $1 AND f.site = $2 AND NOT f.is_repeat`,
    [room, site, events.map(({ source }) => source), events.map(({ id }) => id)],
  );
  return new Set(rows.map(eventKey));
}
