import { sqlMigration } from '@boardwire/database';

/**
 * What rights are made of beside roles.
 * - `membership`: which `members` subjects of a board somebody reaches; people of trusted issuers have no account here.
 * - `stream_ticket`: opens streams of clients that can't set headers; only the hash of a ticket is kept.
 */
export const createRights = sqlMigration(
  'CreateRights1764000000030',
  `
ALTER TABLE account ADD COLUMN disabled_at timestamptz;

CREATE TABLE membership (
  board_id integer NOT NULL REFERENCES board ON DELETE CASCADE,
  user_id text COLLATE "C" NOT NULL,
  subjects text[] NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (board_id, user_id)
);

ALTER TABLE control_change DROP CONSTRAINT control_change_kind_check;
ALTER TABLE control_change ADD CONSTRAINT control_change_kind_check
  CHECK (kind IN ('session_revoked', 'board_changed', 'membership_changed', 'rights_changed'));
ALTER TABLE control_change ADD COLUMN user_id text;

CREATE TABLE stream_ticket (
  ticket_hash bytea PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES session ON DELETE CASCADE,
  transport text NOT NULL CHECK (transport IN ('sse', 'ws')),
  board text,
  -- Sorted and without repeats.
  subjects text[],
  issued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  first_use_by timestamptz NOT NULL,
  uses integer NOT NULL DEFAULT 0,
  used_at timestamptz
);
CREATE INDEX stream_ticket_by_session ON stream_ticket (session_id, issued_at);
CREATE INDEX stream_ticket_unused ON stream_ticket (first_use_by) WHERE uses = 0;
`,
);
