import { sqlMigration } from '@boardwire/database';

/** A key that verifies already, and that no token is signed with before its time. */
export const createNextSigningKey = sqlMigration(
  'CreateNextSigningKey1764000000070',
  `CREATE TABLE next_signing_key (
     is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
     kid text NOT NULL UNIQUE,
     public_key text NOT NULL,
     sealed_private_key bytea NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     signs_from timestamptz NOT NULL CHECK (signs_from >= created_at)
   );
   -- Of a key that has retired, where it isn't as long as its tokens live.
   ALTER TABLE signing_key ADD COLUMN verifies_until timestamptz`,
);
