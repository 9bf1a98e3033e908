import { sqlMigration } from '@boardwire/database';

/**
 * A run of 32 pages holds about 450 entries, which on a busy site are as many actors: a filter made for 200 let a third of
 * all runs pass.
 *
 * `summarize_names` brings the bloom filters of a day's names up to its last page; what they don't cover is read row by
 * row by every search. Postgres asks its autovacuum for it, in a queue of 256 runs of pages each minute, which a busy log
 * fills in seconds. It also looks at a sample of the rows each time the day has doubled: a planner that takes a million rows
 * for none doesn't use the filters. It waits for nobody: a waiting lock of this strength would end an autovacuum.
 */
export const summarizeNames = sqlMigration(
  'SummarizeAuditNames1764979200000',
  `
DROP INDEX entry_names;
CREATE INDEX entry_names ON entry USING brin (
  actor text_bloom_ops (n_distinct_per_range = 500),
  event_id text_bloom_ops (n_distinct_per_range = 500),
  (datahash_of(record)) bytea_bloom_ops (n_distinct_per_range = 500),
  (sha256('\\x00'::bytea || record)) bytea_bloom_ops (n_distinct_per_range = 500)
) WITH (pages_per_range = 32, autosummarize = on);

CREATE FUNCTION summarize_names(wanted date) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
  SET lock_timeout = '200ms' SET default_statistics_target = 10 AS $$
DECLARE
  names regclass;
  entries bigint;
BEGIN
  SELECT i.indexrelid INTO names FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indexrelid
    WHERE i.indrelid = to_regclass(partition_of(wanted)) AND h.inhparent = 'entry_names'::regclass;
  IF names IS NULL THEN RETURN 0; END IF;
  SELECT day_count.entries INTO entries FROM day_count WHERE day = wanted;
  IF (SELECT greatest(reltuples, 0) * 2 <= entries FROM pg_class WHERE oid = to_regclass(partition_of(wanted))) THEN
    EXECUTE format('ANALYZE %I', partition_of(wanted));
  END IF;
  RETURN brin_summarize_new_values(names);
END $$;
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION summarize_names(date) SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE ALL ON FUNCTION summarize_names(date) FROM PUBLIC;
`,
);
