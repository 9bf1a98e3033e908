import { sqlMigration } from '@boardwire/database';

export const roomMigration = sqlMigration(
  'CreateRoom1765300000000',
  `CREATE TABLE room (
     id         text PRIMARY KEY,
     -- An event belongs to one room: whoever shares a board twice makes two boards.
     board      text NOT NULL UNIQUE,
     alias      text NOT NULL,
     subjects   text[] NOT NULL,
     genesis    bytea NOT NULL,
     envelope   jsonb NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now()
   );`,
);
