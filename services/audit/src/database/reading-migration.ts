import { sqlMigration } from '@boardwire/database';

/**
 * What entries are found by beside their place.
 *
 * - Values out of a decision's detail stand beside the detail, because they are content and go with it. Few details
 *   have any, so their indexes are partial and cost an event nothing.
 * - Decisions are rare among events: an index of their own finds the refused login of last week at once.
 * - Names, ids and hashes have bloom filters for each run of pages. They cost an append next to nothing (a tree of
 *   random values would cost as much as the row) and let a search pass by nearly all pages of a day.
 * - `board_day` counts each board's own days, so that nobody has to count a million rows for a calendar.
 */
export const addReading = sqlMigration(
  'AddAuditReading1764720000000',
  `
ALTER TABLE detail
  ADD COLUMN readiness text,
  ADD COLUMN symbol text,
  ADD COLUMN forced_hold boolean,
  ADD COLUMN trace text,
  ADD COLUMN peer text;
WITH told AS MATERIALIZED (
  SELECT seq, body FROM detail JOIN entry USING (seq)
  WHERE kind = 'decision' AND body ~ '"(readiness|symbol|forced_hold|trace|peer)":["tf]|"level":' AND body !~ '\\\\u0000'
), facts AS (
  SELECT told.seq, f.* FROM told, LATERAL json_to_record(body::json -> 'data') AS f (
    readiness text, data_readiness json, symbol text, forced_hold text, trace text, peer text)
)
UPDATE detail SET
  readiness = coalesce(facts.readiness, facts.data_readiness ->> 'level'), symbol = facts.symbol,
  forced_hold = CASE facts.forced_hold WHEN 'true' THEN true WHEN 'false' THEN false END,
  trace = facts.trace, peer = facts.peer
FROM facts WHERE facts.seq = detail.seq;
CREATE INDEX detail_facts ON detail (seq)
  WHERE readiness IS NOT NULL OR symbol IS NOT NULL OR forced_hold IS NOT NULL OR trace IS NOT NULL OR peer IS NOT NULL;
CREATE INDEX detail_trace ON detail (trace) WHERE trace IS NOT NULL;

CREATE INDEX entry_decision ON entry (seq) WHERE kind = 'decision';
CREATE FUNCTION datahash_of(record bytea) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN substring(record FROM position('"datahash":"'::bytea IN record) + 12 FOR 64);
CREATE INDEX entry_names ON entry USING brin (
  actor text_bloom_ops (n_distinct_per_range = 200),
  event_id text_bloom_ops (n_distinct_per_range = 500),
  (datahash_of(record)) bytea_bloom_ops (n_distinct_per_range = 500),
  (sha256('\\x00'::bytea || record)) bytea_bloom_ops (n_distinct_per_range = 500)
) WITH (pages_per_range = 32, autosummarize = on);

CREATE TABLE board_day (
  board text NOT NULL,
  day date NOT NULL,
  entries bigint NOT NULL,
  first_seq bigint NOT NULL,
  last_seq bigint NOT NULL,
  PRIMARY KEY (board, day)
) WITH (fillfactor = 50);
INSERT INTO board_day
  SELECT board, day, count(*), min(seq), max(seq) FROM entry WHERE board IS NOT NULL GROUP BY board, day;
`,
);

/** Whose decision it is, of those that agents report. */
export const addTraders = sqlMigration(
  'AddAuditTraders1764892800000',
  `
ALTER TABLE detail ADD COLUMN trader text;
WITH told AS MATERIALIZED (
  SELECT seq, body FROM detail JOIN entry USING (seq)
  WHERE kind = 'decision' AND type = 'trading.decision' AND body !~ '\\\\u0000'
)
UPDATE detail SET trader = told.body::json -> 'data' ->> 'trader_id' FROM told WHERE told.seq = detail.seq;
CREATE INDEX detail_trader ON detail (trader, seq) WHERE trader IS NOT NULL;
`,
);
