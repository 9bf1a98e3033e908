import { sqlMigration } from '@boardwire/database';

/**
 * - `peer`: a site we know, what was decided about it, and when it is to be dialled again: a restart forgets no backoff.
 * - `peer_room`: what it may do with which room.
 * - `invitation`: by the hash of its secret; used once, by one site.
 * - `peer_strike`: items that a peer is blamed for, kept until they are too old to count.
 */
export const createPeers = sqlMigration(
  'CreatePeers1765400000000',
  `
CREATE TABLE peer (
  site text PRIMARY KEY,
  name text NOT NULL,
  state text NOT NULL CHECK (state IN
    ('invited', 'handshake', 'catching_up', 'live', 'degraded', 'offline', 'suspended', 'revoked')),
  is_trusted boolean NOT NULL DEFAULT false,
  failed_attempts integer NOT NULL DEFAULT 0,
  failing_since timestamptz,
  dial_at timestamptz,
  contact_at timestamptz,
  changed_at timestamptz NOT NULL DEFAULT now(),
  reason text
);
CREATE TABLE peer_room (
  site text NOT NULL REFERENCES peer ON DELETE CASCADE,
  room text NOT NULL,
  scopes text[] NOT NULL CHECK (scopes <@ ARRAY['read', 'write', 'relay']),
  subjects text[] NOT NULL,
  PRIMARY KEY (site, room)
);
CREATE INDEX peer_room_room ON peer_room (room);
CREATE TABLE invitation (
  secret_hash bytea PRIMARY KEY CHECK (octet_length(secret_hash) = 32),
  room text NOT NULL,
  scopes text[] NOT NULL,
  subjects text[] NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  used_by text,
  withdrawn_at timestamptz
);
CREATE TABLE peer_strike (
  site text NOT NULL REFERENCES peer ON DELETE CASCADE,
  at timestamptz NOT NULL DEFAULT now(),
  reason text NOT NULL
);
CREATE INDEX peer_strike_site ON peer_strike (site, at);
`,
);
