import { sqlMigration } from '@boardwire/database';

/** Whose events don't reach somebody: `author@site`. People of trusted issuers ignore as well, and have no account here. */
export const createIgnores = sqlMigration(
  'CreateIgnores1764000000060',
  `
CREATE TABLE ignored (
  user_id text COLLATE "C" NOT NULL,
  author text COLLATE "C" NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, author)
);

ALTER TABLE control_change DROP CONSTRAINT control_change_kind_check;
ALTER TABLE control_change ADD CONSTRAINT control_change_kind_check
  CHECK (kind IN ('session_revoked', 'board_changed', 'membership_changed', 'rights_changed', 'ignores_changed'));
`,
);
