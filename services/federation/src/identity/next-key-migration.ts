import { sqlMigration } from '@boardwire/database';

export const nextKeyMigration = sqlMigration(
  'CreateNextSiteKey1766400000000',
  `-- A key that the site document names already, and that nothing is signed with before its time.
   CREATE TABLE next_site_key (
     use        text PRIMARY KEY CHECK (use IN ('hop', 'event')),
     kid        text NOT NULL UNIQUE,
     public     bytea NOT NULL CHECK (octet_length(public) = 32),
     sealed     bytea NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     signs_from timestamptz NOT NULL CHECK (signs_from >= created_at)
   );
   -- Of a hop key that has retired: so long the site document still names it.
   ALTER TABLE site_key ADD COLUMN named_until timestamptz;`,
);
