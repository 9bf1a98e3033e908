import { sqlMigration } from '@boardwire/database';

/** Which member has heard of which evidence. */
export const evidenceMigration = sqlMigration(
  'CreateEvidenceTold1765700000000',
  `CREATE TABLE evidence_told (
     room       text NOT NULL,
     site       text NOT NULL,
     epoch      text NOT NULL,
     oseq       bigint NOT NULL,
     other_hash bytea NOT NULL,
     member     text NOT NULL,
     PRIMARY KEY (room, site, epoch, oseq, other_hash, member)
   );`,
);
