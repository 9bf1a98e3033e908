import { sqlMigration } from '@boardwire/database';

/** Invitations that this site has accepted, until it is a member: a restart in the middle goes on. */
export const joiningMigration = sqlMigration(
  'CreateJoining1765600000001',
  `CREATE TABLE joining (
     room       text PRIMARY KEY,
     -- The inviting site, and where it can be dialled.
     site       text NOT NULL,
     endpoints  text[] NOT NULL,
     -- The local board that the room is to be shown on.
     board      text NOT NULL UNIQUE,
     -- The invitation's secret, sealed as the site's keys are.
     sealed     bytea NOT NULL,
     expires_at timestamptz NOT NULL,
     attempts   integer NOT NULL DEFAULT 0,
     next_at    timestamptz NOT NULL DEFAULT now()
   );`,
);
