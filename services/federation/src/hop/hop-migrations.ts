import { sqlMigration, type Migration } from '@boardwire/database';

export const hopMigrations: readonly Migration[] = [
  sqlMigration(
    'CreateHopNonce1765200000000',
    `CREATE TABLE hop_nonce (
       site    text NOT NULL,
       nonce   bytea NOT NULL CHECK (octet_length(nonce) = 16),
       seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
       PRIMARY KEY (site, nonce)
     );
     CREATE INDEX hop_nonce_seen ON hop_nonce (seen_at);`,
  ),
];
