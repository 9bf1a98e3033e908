/**
 * SQL that makes of a row (`seq`, `record`, and its detail: `body` and the facts) the JSON text of an AuditEntry, in
 * one line. Here and not in Node, because days are exported at tens of thousands of entries a second.
 *
 * Everything but the detail comes from the hashed record, never from the columns beside it: those serve to find an
 * entry, and nobody signs them.
 */
export function entryLines(rows: string): string {
  return `SELECT r.seq, left(row_to_json(line)::text, -1) || ',"detail":'
      || coalesce(translate(r.body, E'\\n\\r', '  '), 'null') || '}' AS line
    FROM ${rows} AS r,
    LATERAL json_to_record(convert_from(r.record, 'UTF8')::json) AS f (
      actor text, at text, board text, datahash text, day text, epoch text, id text, kind text, origin text,
      outcome text, removed boolean, seq bigint, subject text, time text, type text, zone text),
    LATERAL (SELECT r.seq, f.day, f.zone AS time_zone, f.kind, f.at AS time, f.time AS event_time,
      CASE f.kind WHEN 'event' THEN 'publish' ELSE f.type END AS action,
      coalesce(f.outcome, 'done') AS outcome, f.actor, f.origin, f.board, f.epoch AS board_epoch, f.seq AS board_seq,
      f.subject, CASE f.kind WHEN 'event' THEN f.type END AS type, f.id AS event_id, f.datahash,
      encode(sha256('\\x00'::bytea || r.record), 'hex') AS leaf_hash, convert_from(r.record, 'UTF8') AS record,
      r.trace, r.peer, r.readiness, r.symbol, r.forced_hold,
      ${detailState} AS detail_state) AS line`;
}

/** An event that could not be read has neither id nor detail; nobody took that away. */
const detailState = `CASE
        WHEN r.body IS NOT NULL THEN 'held'
        WHEN f.removed OR EXISTS (SELECT FROM redaction x WHERE x.seq = r.seq) THEN 'redacted'
        WHEN f.kind = 'event' AND coalesce(f.id, '') = '' THEN 'none'
        ELSE 'expired'
      END`;

/** The columns that {@link entryLines} reads beside `seq` and `record`, of `detail d`. */
export const detailColumns = 'd.body, d.trace, d.peer, d.readiness, d.symbol, d.forced_hold';
