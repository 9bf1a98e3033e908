import { sqlMigration, type Migration } from '@boardwire/database';

/**
 * - `room_member`: of each site that an admin let in or removed, the record that holds. The creator has none.
 * - `up_to`: how far a removed member's feed is still taken; null where the admin had nothing of it.
 * - `confirmed_at`: an operator of this site has shaken hands with the peer, instead of learning of it from others.
 */
export const memberMigrations: readonly Migration[] = [
  sqlMigration(
    'CreateRoomMember1765500000000',
    `CREATE TABLE room_member (
       room        text NOT NULL REFERENCES room,
       site        text NOT NULL,
       ordinal     integer NOT NULL CHECK (ordinal > 0),
       is_member   boolean NOT NULL,
       up_to_epoch text,
       up_to_n     bigint,
       envelope    jsonb NOT NULL,
       PRIMARY KEY (room, site)
     );`,
  ),
  sqlMigration(
    'BindInvitation1765500000001',
    `ALTER TABLE invitation ADD COLUMN site text;
     ALTER TABLE peer ADD COLUMN confirmed_at timestamptz;`,
  ),
];
