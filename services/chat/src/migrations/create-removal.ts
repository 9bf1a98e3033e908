import { sqlMigration } from '@boardwire/database';

/**
 * Content that was removed. The event's place stays, with the hash that proves what it was; salt and content hash go
 * with the body, or a short text could be guessed from them. The mirror is cleared after it has the event.
 */
export const createRemoval = sqlMigration(
  'CreateRemoval1764000000021',
  `
ALTER TABLE board_head ADD COLUMN removals bigint NOT NULL DEFAULT 0;

CREATE TABLE removal (
  board_id integer NOT NULL REFERENCES board ON DELETE CASCADE,
  seq bigint NOT NULL,
  subject text NOT NULL,
  actor text NOT NULL,
  is_mirror_cleared boolean NOT NULL DEFAULT false,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (board_id, seq)
);
CREATE INDEX removal_to_clear ON removal (board_id) WHERE NOT is_mirror_cleared;
`,
);

/** Readers are told of a removal by an event of its own, after the removal's commit. Those of before stay untold. */
export const tellRemovals = sqlMigration(
  'TellRemovals1764000000041',
  `
ALTER TABLE removal ADD COLUMN is_told boolean NOT NULL DEFAULT true;
CREATE INDEX removal_to_tell ON removal (board_id) WHERE NOT is_told;
`,
);
