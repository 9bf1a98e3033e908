import type { Entry, Gap } from './entry.ts';
import type { LogPlace } from './log-place.ts';
import type { Growth } from './tree.ts';

export interface Batch {
  place: LogPlace;
  entries: readonly Entry[];
  growth: Growth;
  gaps: readonly Gap[];
}

/**
 * Appends a batch in one statement, which is one transaction and one round trip. `moved` is the fence: it locks the one
 * row of `tree` and finds it only as this writer knows it, and nothing else happens unless it was found. The edge is part
 * of that: a restored log may have come to the same size by other entries.
 *
 * Records and details travel as one JSON array each, joined from texts that are JSON already. `json_array_elements`
 * keeps every element's text as it is, so the stored bytes are the hashed ones and nothing is escaped twice.
 */
const appendSql = `
WITH moved AS (
  UPDATE tree SET size = $2::bigint, edge = $3
  WHERE size = $1::bigint AND edge = $12 AND era = $11::integer AND restored IS NULL RETURNING size
), batch AS MATERIALIZED (
  SELECT $1::bigint + item.place - 1 AS seq, convert_to(item.value::text, 'UTF8') AS record,
    day, at, kind, board, epoch, facts.seq AS board_seq, subject, type, actor, origin, id, outcome
  FROM moved, json_array_elements($4::json) WITH ORDINALITY AS item (value, place),
    json_to_record(item.value) AS facts (
      day date, at timestamptz, kind text, board text, epoch text, seq bigint, subject text, type text, actor text,
      origin text, id text, outcome text)
), entries AS (
  INSERT INTO entry (seq, day, at, kind, board, board_epoch, board_seq, subject, type, actor, origin, event_id, outcome,
    record)
  SELECT seq, day, at, kind, board, epoch, board_seq, subject, type, actor, origin, id, outcome, record FROM batch
), details AS (
  INSERT INTO detail (seq, body, readiness, symbol, forced_hold, trace, peer, trader)
  SELECT $1::bigint + item.place - 1, item.value::text, readiness, symbol, forced_hold, trace, peer,
    trader
  FROM moved, json_array_elements($5::json) WITH ORDINALITY AS item (value, place)
    LEFT JOIN json_to_recordset($13::json) AS facts (
      at bigint, readiness text, symbol text, forced_hold boolean, trace text, peer text, trader text) ON at = place
  WHERE item.value::text <> 'null'
), leaves AS (
  INSERT INTO leaf (first_seq, hashes) SELECT $1::bigint, $6::bytea FROM moved
), tiles AS (
  INSERT INTO tile (era, level, index, root, hashes)
  SELECT $11::integer, level, index, decode(root, 'hex'), decode(hashes, 'hex')
  FROM moved, json_to_recordset($7::json) AS t (level integer, index bigint, root text, hashes text)
), marks AS (
  INSERT INTO mark (board, epoch, seq)
  SELECT board, epoch, seq FROM moved, json_to_recordset($8::json) AS m (board text, epoch text, seq bigint)
  ON CONFLICT (board, epoch) DO UPDATE SET seq = excluded.seq
), days AS (
  INSERT INTO day_count (day, entries, first_seq, last_seq)
  SELECT day, count(*), min(seq), max(seq) FROM batch GROUP BY day
  ON CONFLICT (day) DO UPDATE SET entries = day_count.entries + excluded.entries, last_seq = excluded.last_seq, has_details = true
), board_days AS (
  INSERT INTO board_day (board, day, entries, first_seq, last_seq)
  SELECT board, day, count(*), min(seq), max(seq) FROM batch WHERE board IS NOT NULL GROUP BY board, day
  ON CONFLICT (board, day) DO UPDATE SET entries = board_day.entries + excluded.entries, last_seq = excluded.last_seq
), taken AS (
  DELETE FROM decision_inbox WHERE position = ANY ($9::bigint[]) AND EXISTS (SELECT FROM moved)
), gaps AS (
  INSERT INTO gap (kind, name, epoch, first, last)
  SELECT kind, name, epoch, first, last
  FROM moved, json_to_recordset($10::json) AS g (kind text, name text, epoch text, first bigint, last bigint)
)
SELECT size FROM moved`;

export const appendStatement = { name: 'audit-append', sql: appendSql };

/** What the statement is run with. It answers a row, or none when the tree is not what the growth starts from. */
export function appendParameters({ place, entries, growth, gaps }: Batch): unknown[] {
  return [
    place.firstSeq + growth.from,
    place.firstSeq + growth.size,
    growth.edge,
    `[${entries.map(({ record }) => record).join(',')}]`,
    `[${entries.map(({ detail }) => detail).join(',')}]`,
    growth.leaves,
    JSON.stringify(
      growth.tiles.map((tile) => ({ ...tile, root: tile.root.toString('hex'), hashes: tile.hashes.toString('hex') })),
    ),
    JSON.stringify(marksOf(entries)),
    entries.flatMap(({ from }) => (from.kind === 'decision' ? [from.position] : [])),
    JSON.stringify(gaps),
    place.era,
    growth.fromEdge,
    JSON.stringify(entries.flatMap(({ facts }, at) => (facts === undefined ? [] : [{ at: at + 1, ...facts }]))),
  ];
}

/** The last seq of each board in the batch. */
function marksOf(entries: readonly Entry[]): { board: string; epoch: string; seq: number }[] {
  const marks = new Map<string, { board: string; epoch: string; seq: number }>();
  for (const { from } of entries) {
    if (from.kind === 'event')
      marks.set(`${from.board}/${from.epoch}`, { board: from.board, epoch: from.epoch, seq: from.seq });
  }
  return [...marks.values()];
}
