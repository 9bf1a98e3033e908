import type { FederationPeer, FederationRoom, InviteAnswer } from '@boardwire/contracts';
import { eventually } from '@boardwire/test-kit';
import { call } from './person.ts';
import { startTestSite, type TestSite, type TestSiteOptions } from './test-site.ts';

/** Sites on one machine may dial each other. */
const loopback = {
  FEDERATION_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128',
  FEDERATION_ALLOWED_HTTP_HOSTS: 'localhost,127.0.0.1',
};

/** A whole site that others on this machine can share boards with. */
export function startFederatedSite(name: string, { env, ...options }: TestSiteOptions = {}): Promise<TestSite> {
  return startTestSite({ ...options, env: { SITE_NAME: name, ...loopback, ...env } });
}

export async function asAdmin<T>(
  site: TestSite,
  path: string,
  init: { method?: string; json?: unknown } = {},
): Promise<T> {
  const { token } = await site.admin();
  const answer = await call<T>(`${site.url}/v1/federation${path}`, { token, ...init });
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  return answer.body;
}

export const siteIdOf = async (site: TestSite) => (await asAdmin<{ site: string }>(site, '')).site;

export const peersOf = async (site: TestSite) => (await asAdmin<{ peers: FederationPeer[] }>(site, '/peers')).peers;

export const roomsOf = async (site: TestSite) => (await asAdmin<{ rooms: FederationRoom[] }>(site, '/rooms')).rooms;

export const decide = (site: TestSite, peer: string, decision: string, json: object = {}) =>
  asAdmin<FederationPeer>(site, `/peers/${peer}/${decision}`, { method: 'POST', json });

/** Shares the board `events`; returns the room's id. */
export async function share(site: TestSite, subjects: readonly string[] = ['>']): Promise<string> {
  const json = { board: 'events', alias: 'test', subjects };
  return (await asAdmin<FederationRoom>(site, '/rooms', { method: 'POST', json })).room;
}

/** Lets a site into a room and waits until both are in it; who is invited by its id need not be confirmed. */
export async function invite(host: TestSite, guest: TestSite, room: string): Promise<void> {
  const site = await siteIdOf(guest);
  const invited = { method: 'POST', json: { room, site } };
  const { invitation } = await asAdmin<InviteAnswer>(host, '/invitations', invited);
  await asAdmin(guest, '/invitations/accept', { method: 'POST', json: { invitation, board: 'events' } });
  await eventually(
    async () => {
      const members = (await roomsOf(guest)).find((one) => one.room === room)?.members ?? [];
      if (members.length < 2) throw new Error('the guest is not in the room');
    },
    { timeoutMs: 15_000 },
  );
}

/** So that the bound on events of a new peer doesn't count. */
export async function trustAll(...sites: readonly TestSite[]): Promise<void> {
  for (const site of sites) {
    // oxlint-disable-next-line no-await-in-loop
    for (const peer of await peersOf(site)) await decide(site, peer.site, 'trust');
  }
}

/** Waits until everybody sees everybody else as live. */
export async function allLive(...sites: readonly TestSite[]): Promise<void> {
  await eventually(
    async () => {
      for (const site of sites) {
        // oxlint-disable-next-line no-await-in-loop
        const states = (await peersOf(site)).map(({ state }) => state);
        if (states.length < sites.length - 1 || states.some((state) => state !== 'live')) {
          throw new Error(`a site sees its peers as ${states.join(', ') || 'none'}`);
        }
      }
    },
    { timeoutMs: 20_000 },
  );
}
