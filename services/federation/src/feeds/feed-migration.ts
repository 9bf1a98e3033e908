import { sqlMigration } from '@boardwire/database';

export const feedMigration = sqlMigration(
  'CreateFeed1765300000001',
  `CREATE TABLE feed (
     room        text NOT NULL REFERENCES room,
     site        text NOT NULL,
     epoch       text NOT NULL,
     ordinal     integer NOT NULL CHECK (ordinal >= 0),
     -- The last place, and the hash of the header there.
     n           bigint NOT NULL DEFAULT 0 CHECK (n >= 0),
     hash        bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (octet_length(hash) = 32),
     state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'frozen')),
     -- The epoch's record, signed by the site's root key.
     record      jsonb NOT NULL,
     kid         text,
     grown_at    timestamptz,
     -- Of the own feed: how far the board's log has gone into it.
     board_epoch text,
     board_seq   bigint,
     PRIMARY KEY (room, site, epoch),
     UNIQUE (room, site, ordinal)
   );

   CREATE TABLE feed_item (
     room      text NOT NULL,
     site      text NOT NULL,
     epoch     text NOT NULL,
     oseq      bigint NOT NULL CHECK (oseq > 0),
     hash      bytea NOT NULL UNIQUE,
     header    bytea NOT NULL,
     sigs      jsonb NOT NULL,
     salt      bytea,
     data      bytea,
     dsize     integer NOT NULL,
     via       text[] NOT NULL,
     source    text NOT NULL,
     id        text NOT NULL,
     -- The origin has written this event before; it stays in the chain and is not handed over again.
     is_repeat boolean NOT NULL DEFAULT false,
     board_seq bigint,
     PRIMARY KEY (room, site, epoch, oseq),
     FOREIGN KEY (room, site, epoch) REFERENCES feed
   );
   CREATE UNIQUE INDEX feed_item_event ON feed_item (room, site, source, id) WHERE NOT is_repeat;
   CREATE INDEX feed_item_board_seq ON feed_item (room, board_seq) WHERE board_seq IS NOT NULL;

   -- What was verified and refused, here or by chat: the feed goes on over it.
   CREATE TABLE feed_hole (
     room   text NOT NULL,
     site   text NOT NULL,
     epoch  text NOT NULL,
     oseq   bigint NOT NULL,
     hash   bytea NOT NULL,
     header bytea NOT NULL,
     sigs   jsonb NOT NULL,
     reason text NOT NULL,
     at     timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (room, site, epoch, oseq),
     FOREIGN KEY (room, site, epoch) REFERENCES feed
   );

   -- Two headers that a site has signed for one place.
   CREATE TABLE evidence (
     room         text NOT NULL,
     site         text NOT NULL,
     epoch        text NOT NULL,
     oseq         bigint NOT NULL,
     kept_header  bytea NOT NULL,
     kept_sigs    jsonb NOT NULL,
     other_hash   bytea NOT NULL,
     other_header bytea NOT NULL,
     other_sigs   jsonb NOT NULL,
     carrier      text NOT NULL,
     at           timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (room, site, epoch, oseq, other_hash)
   );

   CREATE TABLE handover (
     position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     board    text NOT NULL,
     room     text NOT NULL,
     site     text NOT NULL,
     epoch    text NOT NULL,
     oseq     bigint NOT NULL,
     UNIQUE (room, site, epoch, oseq),
     FOREIGN KEY (room, site, epoch, oseq) REFERENCES feed_item
   );`,
);
