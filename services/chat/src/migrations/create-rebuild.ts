import { sqlMigration } from '@boardwire/database';

/**
 * Boards that an operator wants in the mirror anew. Whoever leads the relay empties the board there, puts its mark back
 * and counts `rebuilds` up to what was asked, in one statement with the mark: a leader that was cut off knows the count
 * of before, and can't raise the mark again.
 */
export const createRebuild = sqlMigration(
  'CreateRebuild1764000000040',
  `
ALTER TABLE relay_mark ADD COLUMN rebuilds_asked integer NOT NULL DEFAULT 0;
ALTER TABLE relay_mark ADD COLUMN rebuilds integer NOT NULL DEFAULT 0;
`,
);
