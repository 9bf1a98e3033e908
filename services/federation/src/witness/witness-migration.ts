import { sqlMigration } from '@boardwire/database';

/**
 * What this site has seen of other sites' audit logs. By origin alone, whoever brings it: an operator with two sites must
 * not have two pasts of one log cosigned. `site` is who brought it first, and counts for the bound.
 */
export const witnessMigration = sqlMigration(
  'CreateWitnessed1766300000000',
  `CREATE TABLE witnessed (
     origin text PRIMARY KEY,
     site   text NOT NULL,
     key    text NOT NULL,
     size   bigint NOT NULL CHECK (size > 0),
     root   bytea NOT NULL CHECK (octet_length(root) = 32),
     note   text NOT NULL,
     at     timestamptz NOT NULL DEFAULT now()
   );
   CREATE INDEX witnessed_site ON witnessed (site);

   -- The first of each kind that a site has brought: the notes say the rest.
   CREATE TABLE witnessed_fork (
     origin     text NOT NULL,
     site       text NOT NULL,
     kind       text NOT NULL CHECK (kind IN ('two_roots', 'no_proof')),
     key        text NOT NULL,
     kept_note  text NOT NULL,
     other_note text NOT NULL,
     at         timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (origin, site, kind)
   );`,
);
