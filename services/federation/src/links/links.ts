import type { PeerScope } from '@boardwire/contracts';
import { AdvisoryLock, isConnectionError } from '@boardwire/database';
import type { Loop } from '@boardwire/service-kit';
import { mayExchange, peerStateAfter, type PeerEvent } from '../peers/peer-state.ts';
import type { Peer } from '../peers/peer-store.ts';
import { RoomStore } from '../rooms/room-store.ts';
import { Alarm } from './alarm.ts';
import type { PeerDialer } from './dial-peer.ts';
import type { LinkParts } from './link-parts.ts';
import { PeerEndpoints } from './peer-endpoints.ts';
import { PeerLink } from './peer-link.ts';
import type { SharedRoom } from './peer-session.ts';
import type { PeerStatus, PeerStatuses } from './peer-status.ts';
import { RoomLinks } from './room-links.ts';

/** How often peers, rooms and decisions about them are read: what an operator decides is done within a second. */
const rosterEveryMs = 500;
/** Without any peer there is nothing to decide about; who comes in is told of. */
const aloneEveryMs = 2_000;
const lookEveryMs = 100;
/** A peer that is behind for longer isn't live. */
const laggingAfterMs = 5_000;
const beatEveryMs = 250;
/** Of a peer that nobody can dial no attempt fails: it is lost when it hasn't come for so long. */
const absentAfterMs = 5_000;

interface Running {
  link: PeerLink;
  stop: AbortController;
  done: Promise<void>;
}

/**
 * The client side of BF/1: a worker for every peer that something is exchanged with. One replica at a time does it; what
 * two would fetch in the moment of a change comes twice and counts once.
 */
export class Links implements PeerStatuses {
  readonly #parts: LinkParts;
  readonly #dialer: PeerDialer;
  readonly #endpoints: PeerEndpoints;
  readonly #rooms = new Map<string, RoomLinks>();
  readonly #running = new Map<string, Running>();
  readonly #absentSince = new Map<string, number>();
  readonly #alarm = new Alarm();
  #peers: readonly Peer[] = [];

  constructor(parts: LinkParts, dialer: PeerDialer) {
    this.#parts = parts;
    this.#dialer = dialer;
    this.#endpoints = new PeerEndpoints(parts.database);
  }

  /** Something about peers or rooms was decided. */
  poke(): void {
    this.#alarm.ring();
  }

  get peers(): readonly Peer[] {
    return this.#peers;
  }

  of(site: string): PeerStatus | undefined {
    const running = this.#running.get(site);
    if (running === undefined) return undefined;
    const lags = [...this.#rooms.values()].flatMap(({ progress }) => progress.lagOf(site) ?? []);
    const sinceMs = Math.min(...lags.flatMap(({ sinceMs: since }) => since ?? []));
    const offsetMs = running.link.clockOffsetMs;
    return {
      lagEvents: lags.reduce((sum, { events }) => sum + events, 0),
      lagSeconds: lags.length === 0 ? null : Number.isFinite(sinceMs) ? Math.max(0, Date.now() - sinceMs) / 1_000 : 0,
      clockOffsetSeconds: offsetMs === undefined ? null : offsetMs / 1_000,
      streamOpen: running.link.isStreaming || this.#isVisiting(site),
    };
  }

  /** A supervised loop. */
  run(loop: Loop): Promise<void> {
    const body = (signal: AbortSignal) => this.#lead(loop, signal);
    return AdvisoryLock.lead(this.#parts.database, 'links', loop.signal, body, () => loop.beat());
  }

  async #lead(loop: Loop, signal: AbortSignal): Promise<void> {
    const { contacts, members, reader } = this.#parts;
    const beater = setInterval(() => loop.beat(), beatEveryMs);
    const unlisten = [
      contacts.onChanged(() => this.#visited()),
      members.onChanged(() => this.poke()),
      reader.onGrown(
        (room) =>
          void this.#rooms
            .get(room)
            ?.progress.refresh()
            .catch(() => undefined),
      ),
    ];
    const looking = setInterval(() => this.#look(signal), lookEveryMs);
    try {
      while (!signal.aborted) {
        // oxlint-disable-next-line no-await-in-loop -- one pass after the other
        await this.#pass(signal);
        // oxlint-disable-next-line no-await-in-loop
        await this.#alarm.wait(this.#peers.length === 0 ? aloneEveryMs : rosterEveryMs, signal);
      }
    } finally {
      clearInterval(looking);
      for (const end of unlisten) end();
      await Promise.all([...this.#running.keys()].map((site) => this.#stop(site)));
      this.#rooms.clear();
      clearInterval(beater);
    }
  }

  async #pass(signal: AbortSignal): Promise<void> {
    try {
      await this.#read();
      await this.#assess();
    } catch (error) {
      if (isConnectionError(error) || signal.aborted) return;
      throw error;
    }
  }

  async #read(): Promise<void> {
    const { database, peers, members, site: own } = this.#parts;
    const [all, grants, rooms] = await Promise.all([peers.all(), peers.grants(), new RoomStore(database).all()]);
    await this.#endpoints.refresh();
    this.#peers = all;
    const active = all.filter(({ state }) => mayExchange(state));
    const dialable = new Set(active.filter(({ site }) => this.#endpoints.of(site).length > 0).map(({ site }) => site));
    const shared = new Map<string, Map<string, SharedRoom>>();
    for (const { id } of rooms) {
      // oxlint-disable-next-line no-await-in-loop -- few rooms
      const others = (await members.sites(id)).filter((site) => site !== own);
      // oxlint-disable-next-line no-await-in-loop
      const links = this.#rooms.get(id) ?? (await this.#open(id));
      links.setMembers(others, dialable);
      for (const peer of active.filter(({ site }) => others.includes(site))) {
        const scopes = grants.get(`${peer.site} ${id}`);
        if (scopes !== undefined) put(shared, peer.site, { room: id, links, scopes });
      }
    }
    this.#settle(active, shared);
  }

  async #open(room: string): Promise<RoomLinks> {
    const links = new RoomLinks(room, this.#parts);
    await links.progress.refresh();
    this.#rooms.set(room, links);
    return links;
  }

  #settle(active: readonly Peer[], shared: ReadonlyMap<string, ReadonlyMap<string, SharedRoom>>): void {
    const sites = new Set(active.map(({ site }) => site));
    for (const site of this.#running.keys()) if (!sites.has(site)) void this.#stop(site);
    for (const peer of active) {
      const { site } = peer;
      const { link } = this.#running.get(site) ?? this.#start(site);
      link.update({
        peer,
        endpoints: this.#endpoints.of(site),
        rooms: shared.get(site) ?? new Map<string, SharedRoom>(),
      });
    }
  }

  #start(site: string): Running {
    const link = new PeerLink({ site, parts: this.#parts, dialer: this.#dialer });
    const stop = new AbortController();
    const done = link.run(stop.signal).catch((error: unknown) => {
      // A fault of ours: the worker is begun anew by the next look at the roster.
      this.#parts.logger.error({ event: 'link.crashed', peer: site, err: error });
      this.#running.delete(site);
    });
    const running = { link, stop, done };
    this.#running.set(site, running);
    return running;
  }

  async #stop(site: string): Promise<void> {
    const running = this.#running.get(site);
    this.#running.delete(site);
    running?.stop.abort();
    await running?.done;
  }

  #look(signal: AbortSignal): void {
    for (const links of this.#rooms.values()) {
      links.select();
      links.look(signal);
    }
  }

  /** Somebody has come, or gone. */
  #visited(): void {
    for (const [site, { link }] of this.#running) if (!link.isStreaming && this.#isVisiting(site)) link.poke();
    for (const links of this.#rooms.values()) {
      links.visited();
      links.select();
    }
  }

  #isVisiting(site: string): boolean {
    return [...this.#rooms.keys()].some((room) => this.#parts.contacts.hasStream(site, room));
  }

  /** What is seen of each peer becomes its state. */
  async #assess(): Promise<void> {
    const { peers } = this.#parts;
    for (const { site, state, reason: known } of this.#peers.filter((peer) => mayExchange(peer.state))) {
      const event = this.#seen(site);
      const next = event && peerStateAfter(state, event);
      const refusal = this.#running.get(site)?.link.refusal;
      // What it refused last may be on record while it comes by itself and everything is well.
      const isRefused = refusal !== undefined && event !== 'caught_up';
      const reason = isRefused ? `it refuses: ${refusal}` : undefined;
      const isNews = next !== state || (reason !== undefined && reason !== known);
      // oxlint-disable-next-line no-await-in-loop -- only what changes
      if (next !== undefined && isNews) await peers.happened(site, event!, reason);
    }
  }

  #isAbsent(site: string, { streamOpen }: PeerStatus): boolean {
    if (streamOpen || this.#endpoints.of(site).length > 0) {
      this.#absentSince.delete(site);
      return false;
    }
    const since = this.#absentSince.get(site) ?? performance.now();
    this.#absentSince.set(site, since);
    return performance.now() - since > absentAfterMs;
  }

  #seen(site: string): PeerEvent | undefined {
    const status = this.of(site);
    if (status === undefined) return undefined;
    if (this.#isAbsent(site, status)) return 'lost';
    if (this.#running.get(site)?.link.refusal !== undefined && !status.streamOpen) return 'lagging';
    if (!status.streamOpen || status.lagSeconds === null) return undefined;
    if (status.lagEvents === 0) return 'caught_up';
    return status.lagSeconds * 1_000 > laggingAfterMs ? 'lagging' : undefined;
  }
}

function put(
  shared: Map<string, Map<string, SharedRoom>>,
  site: string,
  { room, links, scopes }: { room: string; links: RoomLinks; scopes: readonly PeerScope[] },
): void {
  const rooms = shared.get(site) ?? new Map<string, SharedRoom>();
  rooms.set(room, { links, mayRelay: scopes.includes('relay') });
  shared.set(site, rooms);
}
