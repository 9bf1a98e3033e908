import { sqlMigration } from '@boardwire/database';

/**
 * What of a board's log is gone, and what must not go yet.
 * - `board_head.pruned`: no reader gets an event up to here, whether its row is there still or not. The newest event of
 *   a subject of class `state` outlives it, for the board's state alone.
 * - `follower_mark`: what audit and federation have stored. A log is not pruned past it.
 * - a deleted board has no head: appends find nothing, readers see no board, and its rows go in portions.
 */
export const createRetention = sqlMigration(
  'CreateRetention1764000000020',
  `
ALTER TABLE board_head ADD COLUMN pruned bigint NOT NULL DEFAULT 0;
ALTER TABLE board ADD COLUMN deleted_at timestamptz;

CREATE TABLE follower_mark (
  follower text NOT NULL,
  board_id integer NOT NULL REFERENCES board ON DELETE CASCADE,
  epoch text NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (follower, board_id)
);
`,
);
