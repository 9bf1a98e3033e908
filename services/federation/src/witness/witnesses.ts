import type { Queryable } from '@boardwire/database';
import { witnessKeyOf } from './witness-key.ts';

/** A site that may be asked for cosignatures. */
export interface WitnessSite {
  site: string;
  /** Its verifier key as a witness, by its newest document. */
  key: string;
}

/** Whom this site shares a room with and who answers. One that nobody can dial has no address, and can't be asked. */
export async function witnessSites(database: Queryable): Promise<WitnessSite[]> {
  const rows = await database.query<{ site: string; public: Buffer }>(membersWithKeys);
  return rows.map(({ site, public: publicKey }) => ({ site, key: witnessKeyOf(site, publicKey) }));
}

const membersWithKeys = `
  SELECT DISTINCT peer.site, held.public
  FROM peer
    JOIN peer_room ON peer_room.site = peer.site
    LEFT JOIN room_member ON room_member.room = peer_room.room AND room_member.site = peer.site
    JOIN foreign_site ON foreign_site.site = peer.site
    JOIN foreign_site_key held
      ON held.site = peer.site AND held.use = 'checkpoint' AND held.last_ver = foreign_site.ver
  WHERE peer.state IN ('catching_up', 'live', 'degraded') AND room_member.is_member IS NOT FALSE`;
