import { sqlMigration } from '@boardwire/database';

export const createAccounts = sqlMigration(
  'CreateAccounts1764000000012',
  `
CREATE TABLE account (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  -- NFKC and lower case, made in code; null once a guest's name is free again.
  folded_name text COLLATE "C" UNIQUE,
  is_guest boolean NOT NULL,
  roles text[] NOT NULL,
  password_hash text,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (is_guest OR (folded_name IS NOT NULL AND password_hash IS NOT NULL))
);

CREATE TABLE session (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES account,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  end_reason text
);
CREATE INDEX session_by_account ON session (account_id);
CREATE INDEX session_by_expiry ON session (expires_at);

-- Every token a session was ever given, so that a used one that comes back is recognised as stolen.
CREATE TABLE refresh_token (
  token_hash bytea PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES session ON DELETE CASCADE,
  issued_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz
);
CREATE INDEX refresh_token_by_session ON refresh_token (session_id);

CREATE TABLE signing_key (
  kid text PRIMARY KEY,
  public_key text NOT NULL,
  sealed_private_key bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  retired_at timestamptz
);
CREATE UNIQUE INDEX signing_key_current ON signing_key ((true)) WHERE retired_at IS NULL;
`,
);

export const createDecisions = sqlMigration(
  'CreateDecisions1764000000013',
  `
CREATE TABLE decision_outbox (
  number bigint PRIMARY KEY,
  action text NOT NULL,
  outcome text NOT NULL,
  actor text NOT NULL,
  board text,
  detail jsonb,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Numbers are dense: the row lock is held until the caller commits, and a rollback gives its number back.
CREATE FUNCTION next_decision_number() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  UPDATE site SET decision_number = decision_number + 1 RETURNING decision_number
$$;
`,
);
