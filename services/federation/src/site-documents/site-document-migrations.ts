import { sqlMigration, type Migration } from '@boardwire/database';

export const siteDocumentMigrations: readonly Migration[] = [
  sqlMigration(
    'CreateForeignSite1765200000001',
    `-- The newest document of every other site, as it was signed.
     CREATE TABLE foreign_site (
       site       text PRIMARY KEY,
       ver        bigint NOT NULL CHECK (ver > 0),
       envelope   text NOT NULL,
       changed_at timestamptz NOT NULL DEFAULT now()
     );
     -- Every key that a document has named. One that the newest no longer names speaks for no request any more, but what
     -- it signed in a feed is still judged by its place there.
     CREATE TABLE foreign_site_key (
       site     text NOT NULL REFERENCES foreign_site,
       kid      text NOT NULL,
       use      text NOT NULL CHECK (use IN ('root', 'hop', 'event', 'checkpoint')),
       public   bytea NOT NULL CHECK (octet_length(public) = 32),
       last_ver bigint NOT NULL,
       PRIMARY KEY (site, kid)
     );`,
  ),
];
