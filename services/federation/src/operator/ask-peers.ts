import { keyUses } from '@boardwire/contracts';
import { openDatabase, type Database } from '@boardwire/database';
import { boundedSignal, createLogger, readConfig, type Environment } from '@boardwire/service-kit';
import { federationConfig, type FederationConfig } from '../config.ts';
import { DialError } from '../dialing/dial-error.ts';
import { buildHop } from '../hop/build-hop.ts';
import { IdentityStore } from '../identity/identity-store.ts';
import { siteIdOf } from '../identity/site-id.ts';
import type { SiteKeys } from '../identity/site-keys.ts';
import { vaultOf } from '../identity/vault-of.ts';
import { LinkError } from '../links/link-error.ts';
import { PeerClient } from '../links/peer-client.ts';
import { PeerEndpoints } from '../links/peer-endpoints.ts';
import { mayExchange } from '../peers/peer-state.ts';
import { PeerStore, type Peer } from '../peers/peer-store.ts';
import { RoomStore, type Room } from '../rooms/room-store.ts';

/** What a peer said when it was asked for a room that both share. */
export interface AskedRoom {
  site: string;
  name: string;
  alias: string;
  /** Follows from the genesis: whoever knows the room by this id has the same one. */
  room: string;
  /** `same`: it has this room; else the code of its refusal, or `unreachable`. */
  answer: string;
  detail?: string;
  /** How far its clock is ahead of ours. */
  clockOffsetMs?: number;
}

export interface FederationState {
  /** Undefined before the first start. */
  site?: string;
  rooms: Pick<Room, 'id' | 'alias' | 'board'>[];
  frozen: { room: string; site: string }[];
  /** Peers that can't be asked by dialling them, by name. */
  undialled: string[];
  asked: AskedRoom[];
}

const answerMs = 5_000;

/**
 * Asks every peer for every room that this site shares with it, signed as the service signs. Reads the database and changes
 * nothing in it but the seals of keys, as the service does at its start.
 *
 * @throws Error when the site's keys can't be opened
 */
export async function askPeers(env: Environment, signal: AbortSignal): Promise<FederationState> {
  const config = readConfig(federationConfig, env);
  const logger = createLogger({ service: 'operator', level: 'silent' });
  const { DATABASE_URL: url } = config;
  const database = await openDatabase({ url, schema: 'federation', migrations: [], waitMs: 0, poolMax: 2, logger });
  try {
    const rooms = await new RoomStore(database).all();
    const frozen = await database.query<{ room: string; site: string }>(
      "SELECT DISTINCT room, site FROM feed WHERE state = 'frozen'",
    );
    const keys = await keysOf(database, config);
    if (keys === undefined) return { rooms, frozen, undialled: [], asked: [] };
    const site = siteIdOf(keys.root.key.publicKey);
    return { site, rooms, frozen, ...(await askAll({ database, config, keys, site, rooms, signal })) };
  } finally {
    await database.close();
  }
}

async function keysOf(database: Database, config: FederationConfig): Promise<SiteKeys | undefined> {
  const vault = vaultOf(config);
  const keys = await database.transaction((transaction) => new IdentityStore(transaction, vault).keys());
  const byUse = new Map(keys.map((key) => [key.use, key]));
  if (!keyUses.every((use) => byUse.has(use))) return undefined;
  return Object.fromEntries(byUse) as SiteKeys;
}

interface Asking {
  database: Database;
  config: FederationConfig;
  keys: SiteKeys;
  site: string;
  rooms: readonly Room[];
  signal: AbortSignal;
}

async function askAll(asking: Asking): Promise<Pick<FederationState, 'asked' | 'undialled'>> {
  const { database, config, keys, site, rooms, signal } = asking;
  const store = new PeerStore(database);
  const endpoints = new PeerEndpoints(database);
  await endpoints.refresh();
  const hop = buildHop(database, { siteId: site, keys }, config);
  const parts = { hop: hop.client, keys: hop.keyring, own: site };
  const asked: AskedRoom[] = [];
  const undialled: string[] = [];
  try {
    for (const peer of (await store.all()).filter(({ state }) => mayExchange(state))) {
      const [address] = endpoints.of(peer.site);
      if (address === undefined) {
        undialled.push(peer.name);
        continue;
      }
      const client = new PeerClient({ site: peer.site, url: address }, parts);
      // oxlint-disable-next-line no-await-in-loop -- an operator waits, and peers are few
      for (const { room } of await store.rooms(peer.site)) {
        const known = rooms.find(({ id }) => id === room);
        // oxlint-disable-next-line no-await-in-loop
        if (known !== undefined) asked.push(await ask(client, peer, known, signal));
      }
    }
    return { asked, undialled };
  } finally {
    await hop.dialer.close();
  }
}

async function ask(
  client: PeerClient,
  { site, name }: Peer,
  { id, alias }: Room,
  signal: AbortSignal,
): Promise<AskedRoom> {
  const about = { site, name, alias, room: id };
  const clock = () => (client.clockOffsetMs === undefined ? {} : { clockOffsetMs: client.clockOffsetMs });
  const bounded = boundedSignal(answerMs, signal);
  try {
    await client.head(id, bounded.signal, answerMs);
    return { ...about, answer: 'same', ...clock() };
  } catch (error) {
    const answer = error instanceof LinkError ? error.fault : 'unreachable';
    const detail = error instanceof DialError || error instanceof Error ? error.message : String(error);
    return { ...about, answer, detail, ...clock() };
  } finally {
    bounded.release();
  }
}
