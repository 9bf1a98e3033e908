import {
  federationPeerSchema,
  federationPeersSchema,
  federationRoomSchema,
  federationRoomsSchema,
  federationSiteSchema,
  inviteAnswerSchema,
  type FederationFeed,
  type FederationPeer,
} from '@boardwire/contracts';
import type { DemoSite } from './three-sites.ts';

const base = '/v1/federation';

export const siteOf = ({ client }: DemoSite) => client.request({ path: base, answer: federationSiteSchema });

export async function peersOf({ client }: DemoSite): Promise<FederationPeer[]> {
  return (await client.request({ path: `${base}/peers`, answer: federationPeersSchema })).peers;
}

/** The feeds of the room with this alias; none before the site has it. */
export async function feedsOf({ client }: DemoSite, alias: string): Promise<FederationFeed[]> {
  const { rooms } = await client.request({ path: `${base}/rooms`, answer: federationRoomsSchema });
  return rooms.find((room) => room.alias === alias)?.feeds ?? [];
}

export const share = ({ client }: DemoSite, body: { board: string; alias: string; subjects: string[] }) =>
  client.request({ method: 'POST', path: `${base}/rooms`, body, answer: federationRoomSchema });

export const invite = ({ client }: DemoSite, room: string) =>
  client.request({ method: 'POST', path: `${base}/invitations`, body: { room }, answer: inviteAnswerSchema });

export const accept = ({ client }: DemoSite, body: { invitation: string; board: string }) =>
  client.request({ method: 'POST', path: `${base}/invitations/accept`, body, answer: federationPeerSchema });

export const confirm = ({ client }: DemoSite, site: string, fingerprint: string) =>
  client.request({
    method: 'POST',
    path: `${base}/peers/${site}/confirm`,
    body: { fingerprint },
    answer: federationPeerSchema,
  });
