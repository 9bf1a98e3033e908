import { sqlMigration } from '@boardwire/database';

/**
 * What only the owner of the tables may do, as functions that others may call: `ensure_day` makes the partition of a
 * day, `drop_day` removes the records of one that has outlived its retention and keeps which ones they were. Leaves stay.
 */
export const shareOwnership = sqlMigration(
  'ShareAuditOwnership1764806400000',
  `
ALTER TABLE tree ADD COLUMN begun_after text;
ALTER TABLE day_count ADD COLUMN has_details boolean NOT NULL DEFAULT true;
CREATE TABLE dropped_records (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  day date NOT NULL,
  entries bigint NOT NULL,
  seqs int8multirange NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE redaction (seq bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE removal_mark (board text, epoch text, removals bigint NOT NULL, PRIMARY KEY (board, epoch));
CREATE INDEX entry_place ON entry (board, board_seq) WHERE board_seq IS NOT NULL;
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['dropped_records', 'redaction'] LOOP
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', name);
    EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
  END LOOP;
END $$;

CREATE FUNCTION partition_of(wanted date) RETURNS text LANGUAGE sql IMMUTABLE
  AS $$ SELECT 'entry_' || to_char(wanted, 'YYYY_MM_DD') $$;

CREATE FUNCTION ensure_day(wanted date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF to_regclass(partition_of(wanted)) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF entry FOR VALUES IN (%L)', partition_of(wanted), wanted);
  -- TRUNCATE triggers are the one kind that a partition doesn't inherit.
  EXECUTE format('CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', partition_of(wanted));
END $$;

CREATE FUNCTION drop_day(wanted date) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE dropped bigint;
BEGIN
  IF wanted >= current_date THEN RAISE EXCEPTION '% is not over', wanted; END IF;
  IF to_regclass(partition_of(wanted)) IS NULL THEN RETURN 0; END IF;
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', partition_of(wanted));
  DELETE FROM detail USING entry WHERE entry.day = wanted AND detail.seq = entry.seq;
  INSERT INTO dropped_records (day, entries, seqs)
    SELECT wanted, count(*), range_agg(int8range(seq, seq + 1)) FROM entry WHERE day = wanted HAVING count(*) > 0
    RETURNING entries INTO dropped;
  EXECUTE format('DROP TABLE %I', partition_of(wanted));
  DELETE FROM day_count WHERE day = wanted;
  DELETE FROM board_day WHERE day = wanted;
  RETURN coalesce(dropped, 0);
END $$;

-- A table of the caller's own, of the same name, must not come before ours.
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION ensure_day(date) SET search_path = %I, pg_temp', current_schema());
  EXECUTE format('ALTER FUNCTION drop_day(date) SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE ALL ON FUNCTION ensure_day(date), drop_day(date) FROM PUBLIC;
`,
);
