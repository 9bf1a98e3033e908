import { sqlMigration } from '@boardwire/database';

/**
 * `summarize_names` brings the bloom filters of a day's names up to its last page; what they don't cover is read row by
 * row by every search. Postgres asks its autovacuum for it, in a queue of 256 runs of pages each minute, which a busy log
 * fills in seconds. It waits for nobody: a waiting lock of this strength would end an autovacuum.
 */
export const summarizeNames = sqlMigration(
  'SummarizeAuditNames1764979200000',
  `
CREATE FUNCTION summarize_names(wanted date) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
  SET lock_timeout = '200ms' AS $$
DECLARE names regclass;
BEGIN
  SELECT i.indexrelid INTO names FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indexrelid
    WHERE i.indrelid = to_regclass(partition_of(wanted)) AND h.inhparent = 'entry_names'::regclass;
  IF names IS NULL THEN RETURN 0; END IF;
  RETURN brin_summarize_new_values(names);
END $$;
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION summarize_names(date) SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE ALL ON FUNCTION summarize_names(date) FROM PUBLIC;
`,
);
