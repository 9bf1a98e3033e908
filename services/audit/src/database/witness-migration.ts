import { sqlMigration } from '@boardwire/database';

/**
 * What other sites have cosigned. `cosignature` only grows, like the checkpoints that it belongs to, one row for each witness
 * and size; `witness` is who they are and the newest that each has seen, so that nobody has to read all rows for that.
 */
export const addWitnesses = sqlMigration(
  'AddAuditWitnesses1765065600000',
  `
CREATE TABLE cosignature (
  era integer NOT NULL,
  size bigint NOT NULL,
  name text NOT NULL,
  line text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (era, size, name)
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON cosignature FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON cosignature FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TABLE witness (
  name text PRIMARY KEY,
  key text NOT NULL,
  era integer NOT NULL,
  size bigint NOT NULL,
  signed_at timestamptz NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
`,
);
