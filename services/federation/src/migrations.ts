import { decisionOutboxMigration, sqlMigration, type Migration } from '@boardwire/database';
import { nextKeyMigration } from './identity/next-key-migration.ts';
import { hopMigrations } from './hop/hop-migrations.ts';
import { feedMigration } from './feeds/feed-migration.ts';
import { siteDocumentMigrations } from './site-documents/site-document-migrations.ts';
import { roomMigration } from './rooms/room-migration.ts';
import { joiningMigration } from './links/joining-migration.ts';
import { createPeers } from './peers/peers-migration.ts';
import { evidenceMigration } from './evidence/evidence-migration.ts';
import { redactionMigration } from './redactions/redaction-migration.ts';
import { memberMigrations } from './members/member-migration.ts';
import { witnessMigration } from './witness/witness-migration.ts';

export const migrations: readonly Migration[] = [
  sqlMigration(
    'CreateIdentity1763700000000',
    `CREATE TABLE site_key (
       kid        text PRIMARY KEY,
       use        text NOT NULL CHECK (use IN ('root', 'hop', 'event', 'checkpoint')),
       public     bytea NOT NULL CHECK (octet_length(public) = 32),
       sealed     bytea NOT NULL,
       created_at timestamptz NOT NULL DEFAULT now(),
       retired_at timestamptz
     );
     -- One key in force for each use; the root key is what the site's id is made of and never retires.
     CREATE UNIQUE INDEX site_key_in_force ON site_key (use) WHERE retired_at IS NULL;
     ALTER TABLE site_key ADD CHECK (use <> 'root' OR retired_at IS NULL);

     CREATE TABLE site_document (
       ver        integer PRIMARY KEY CHECK (ver > 0),
       content    text NOT NULL,
       envelope   text NOT NULL,
       created_at timestamptz NOT NULL DEFAULT now()
     );`,
  ),
  sqlMigration(
    'CreateMark1763700000001',
    `CREATE TABLE mark (
       board text NOT NULL,
       epoch text NOT NULL,
       seq   bigint NOT NULL CHECK (seq >= 0),
       PRIMARY KEY (board, epoch)
     );`,
  ),
  ...hopMigrations,
  ...siteDocumentMigrations,
  roomMigration,
  feedMigration,
  createPeers,
  ...memberMigrations,
  decisionOutboxMigration('CreateDecisions1765600000000'),
  joiningMigration,
  evidenceMigration,
  redactionMigration,
  witnessMigration,
  nextKeyMigration,
];
