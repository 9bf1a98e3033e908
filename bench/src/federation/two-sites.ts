import { setTimeout as sleep } from 'node:timers/promises';
import {
  federationPeersSchema,
  federationRoomSchema,
  federationSiteSchema,
  inviteAnswerSchema,
  type FederationPeer,
} from '@boardwire/contracts';
import { startBenchSite, type BenchSite } from '../site/bench-site.ts';

/** Two sites that share the board `events` and trust each other. */
export interface TwoSites {
  a: BenchSite;
  b: BenchSite;
  /** Site id of the first. */
  aId: string;
  stop(): Promise<void>;
}

const liveMaxMs = 30_000;

export async function startTwoSites(say: (text: string) => void): Promise<TwoSites> {
  const sites: BenchSite[] = [];
  const stop = async () => {
    await Promise.all(sites.map((site) => site.stop()));
  };
  try {
    // One after the other: each starts servers of its own.
    for (const name of ['A', 'B']) sites.push(await startBenchSite(say, loopbackEnv(name)));
    const [a, b] = sites as [BenchSite, BenchSite];
    await share(a, b);
    say('  ✔ two sites share a board');
    return { a, b, aId: (await ask(a, '', federationSiteSchema)).site, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Sites on one machine may dial each other. */
const loopbackEnv = (name: string) => ({
  SITE_NAME: name,
  FEDERATION_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128',
  FEDERATION_ALLOWED_HTTP_HOSTS: 'localhost,127.0.0.1',
});

async function share(host: BenchSite, guest: BenchSite): Promise<void> {
  const opened = { board: 'events', alias: 'bench', subjects: ['>'] };
  const { room } = await ask(host, '/rooms', federationRoomSchema, opened);
  const { site } = await ask(guest, '', federationSiteSchema);
  const { invitation } = await ask(host, '/invitations', inviteAnswerSchema, { room, site });
  await tell(guest, '/invitations/accept', { invitation, board: 'events' });
  for (const side of [host, guest]) {
    for (const peer of await livePeers(side)) await tell(side, `/peers/${peer.site}/trust`, {});
  }
}

async function livePeers(side: BenchSite): Promise<FederationPeer[]> {
  const deadline = performance.now() + liveMaxMs;
  for (;;) {
    const { peers } = await ask(side, '/peers', federationPeersSchema);
    if (peers.length > 0 && peers.every(({ state }) => state === 'live')) return peers;
    if (performance.now() > deadline) throw new Error(`peers are ${peers.map(({ state }) => state).join(', ')}`);
    await sleep(100);
  }
}

interface Schema<T> {
  parse(json: unknown): T;
}

async function ask<T>(side: BenchSite, path: string, schema: Schema<T>, body?: object): Promise<T> {
  return schema.parse(await tell(side, path, body));
}

async function tell({ site, token }: BenchSite, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${site.publicUrl}/v1/federation${path}`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}
