import type { HeadAnswer } from '@boardwire/contracts';
import type { FeedReader } from '../feeds/feed-reader.ts';
import type { RoomMembers } from '../members/room-members.ts';
import type { WireRoute } from './wire-route.ts';

/** `GET …/head`: what this site has, its word of its own feed, and who takes part. */
export function headRoute({ reader, members }: { reader: FeedReader; members: RoomMembers }): WireRoute {
  return {
    method: 'GET',
    path: 'head',
    scope: 'read',
    bodyBytesMax: 0,
    async answer({ room }) {
      const [vector, head, bundles] = await Promise.all([
        reader.vector(room),
        reader.signedHead(room),
        members.bundles(room),
      ]);
      const json: HeadAnswer = { vector, head: head ?? null, members: bundles };
      return { status: 200, json };
    },
  };
}
