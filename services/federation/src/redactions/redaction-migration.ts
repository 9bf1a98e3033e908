import { sqlMigration } from '@boardwire/database';

/** Whose content is gone in a room, whether its item is known here or not, with the header that proves it. */
export const redactionMigration = sqlMigration(
  'CreateRedaction1765900000000',
  `CREATE TABLE redaction (
     room   text NOT NULL REFERENCES room,
     -- The event, by what names it on every site.
     site   text NOT NULL,
     source text NOT NULL,
     id     text NOT NULL,
     -- Who has removed it.
     by     text NOT NULL,
     header bytea NOT NULL,
     sigs   jsonb NOT NULL,
     PRIMARY KEY (room, site, source, id)
   );`,
);
