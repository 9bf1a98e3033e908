import { sqlMigration } from '@boardwire/database';
import { summarizeNames } from './names-migration.ts';
import { shareOwnership } from './ownership-migration.ts';
import { addReading, addTraders } from './reading-migration.ts';
import { addWitnesses } from './witness-migration.ts';

/**
 * Tables of the log. `entry`, `leaf`, `tile` and `checkpoint` only grow: triggers refuse every change. What may have to
 * be forgotten stands in `detail`.
 *
 * - `tree` is one row: the size, and the roots of the perfect subtrees at the right edge. Whoever appends moves it from
 *   the size it knows to the next in the same transaction, so two writers can never both append at one place.
 * - `leaf` holds one row for each batch: the leaf hashes from `first_seq` on, in a row.
 * - `tile` holds full tiles only; what is not full yet is read from `leaf` and from the tiles below.
 */
const createLog = sqlMigration(
  'CreateAuditLog1764547200000',
  `
CREATE TABLE tree (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  epoch text NOT NULL,
  size bigint NOT NULL CHECK (size >= 0),
  edge bytea NOT NULL
);
CREATE TABLE checkpoint_key (
  seed bytea NOT NULL CHECK (length(seed) = 32),
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only)
);
CREATE TABLE entry (
  seq bigint NOT NULL,
  day date NOT NULL,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  board text,
  board_epoch text,
  board_seq bigint,
  subject text,
  type text NOT NULL,
  actor text NOT NULL,
  origin text NOT NULL,
  event_id text,
  outcome text,
  record bytea NOT NULL,
  PRIMARY KEY (day, seq)
) PARTITION BY LIST (day);
CREATE TABLE detail (seq bigint PRIMARY KEY, body text NOT NULL);
CREATE TABLE leaf (first_seq bigint PRIMARY KEY, hashes bytea NOT NULL);
CREATE TABLE tile (
  level integer NOT NULL,
  index bigint NOT NULL,
  root bytea NOT NULL CHECK (length(root) = 32),
  hashes bytea NOT NULL CHECK (length(hashes) = 8192),
  PRIMARY KEY (level, index)
);
CREATE TABLE checkpoint (
  size bigint PRIMARY KEY,
  root bytea NOT NULL CHECK (length(root) = 32),
  note text NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE mark (board text, epoch text, seq bigint NOT NULL, PRIMARY KEY (board, epoch)) WITH (fillfactor = 50);
CREATE TABLE day_count (
  day date PRIMARY KEY,
  entries bigint NOT NULL,
  first_seq bigint NOT NULL,
  last_seq bigint NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE gap (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('board', 'decisions')),
  name text NOT NULL,
  epoch text NOT NULL,
  first bigint NOT NULL,
  last bigint NOT NULL CHECK (last >= first),
  found_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE decision_stream (service text PRIMARY KEY, received bigint NOT NULL);
CREATE TABLE decision_inbox (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  service text NOT NULL,
  number bigint NOT NULL,
  body text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (service, number)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log only grows: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = '42501';
END $$;
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['entry', 'leaf', 'tile', 'checkpoint'] LOOP
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', name);
    EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
  END LOOP;
END $$;
`,
);

/**
 * Epochs of the log. Entries keep their numbers over all of them (`tree.size` is the next one); each epoch has a tree of
 * its own whose leaf 0 is entry `first_seq`. Tiles and checkpoints are told apart by `era`, which counts epochs from 0.
 * `former_epoch` holds how far an epoch is known to have been signed, and `kept` of its leaves are still here.
 */
const addEpochs = sqlMigration(
  'AddAuditEpochs1764633600000',
  `
ALTER TABLE tree
  ADD COLUMN era integer NOT NULL DEFAULT 0,
  ADD COLUMN first_seq bigint NOT NULL DEFAULT 0,
  ADD COLUMN system_identifier text,
  ADD COLUMN timeline text,
  ADD COLUMN restored text,
  ADD CHECK (size >= first_seq);
ALTER TABLE tile ADD COLUMN era integer NOT NULL DEFAULT 0, DROP CONSTRAINT tile_pkey, ADD PRIMARY KEY (era, level, index);
ALTER TABLE checkpoint
  ADD COLUMN era integer NOT NULL DEFAULT 0, DROP CONSTRAINT checkpoint_pkey, ADD PRIMARY KEY (era, size);
CREATE TABLE former_epoch (
  era integer PRIMARY KEY,
  epoch text NOT NULL UNIQUE,
  first_seq bigint NOT NULL,
  kept bigint NOT NULL,
  size bigint,
  root bytea,
  note text,
  reason text NOT NULL,
  ended_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON former_epoch FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON former_epoch FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
`,
);

export const auditMigrations = [
  createLog,
  addEpochs,
  addReading,
  shareOwnership,
  addTraders,
  summarizeNames,
  addWitnesses,
];
