import { isConnectionError } from '@boardwire/database';
import { DialError } from '../dialing/dial-error.ts';
import { HopError } from '../hop/hop-profile.ts';
import { StrictJsonError } from '../hop/strict-json.ts';
import type { Peer } from '../peers/peer-store.ts';
import { Alarm } from './alarm.ts';
import type { PeerDialer } from './dial-peer.ts';
import { LinkError } from './link-error.ts';
import type { LinkParts } from './link-parts.ts';
import type { PeerClient } from './peer-client.ts';
import { PeerSession, type SharedRoom } from './peer-session.ts';

export interface PeerLinkOptions {
  site: string;
  parts: LinkParts;
  dialer: PeerDialer;
}

/** What the roster knows of a peer. */
export interface LinkTarget {
  peer: Peer;
  /** Where it can be dialled; none: it dials. */
  endpoints: readonly string[];
  rooms: ReadonlyMap<string, SharedRoom>;
}

const greetTimeoutMs = 10_000;
const idleMs = 60_000;
const faultMs = 1_000;
/** The first failure may be a restart, the third isn't. */
const failuresUntilLost = 3;

/**
 * The worker of one peer: dials it, with a backoff that outlives restarts, and keeps a session with it for as long as
 * that holds. Nothing that goes wrong with this peer is felt by another one.
 */
export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #alarm = new Alarm();
  #target: LinkTarget | undefined;
  #session: PeerSession | undefined;
  #waitUntilMs = 0;
  clockOffsetMs: number | undefined;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
  }

  get isStreaming(): boolean {
    return this.#session?.isStreaming === true;
  }

  /** What the peer answers instead of letting us in. */
  get refusal(): string | undefined {
    return this.#session?.refusal;
  }

  /** What is known of the peer now. Its backoff may have ended because it has come by itself. */
  update(target: LinkTarget): void {
    const before = this.#target?.peer;
    const hasCome = before?.dialAt !== undefined && target.peer.dialAt === undefined;
    if (hasCome) this.#waitUntilMs = 0;
    this.#target = target;
    this.#session?.share(target.rooms);
    this.#alarm.ring();
  }

  /** The peer has come to us, with its key. */
  poke(): void {
    this.#waitUntilMs = 0;
    this.#session?.poke();
    this.#alarm.ring();
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = this.#untilDueMs();
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      if (waitMs > 0) await this.#alarm.wait(waitMs, signal);
      // oxlint-disable-next-line no-await-in-loop
      else await this.#attempt(signal);
    }
  }

  #untilDueMs(): number {
    const target = this.#target;
    if (target === undefined || target.endpoints.length === 0 || target.rooms.size === 0) return idleMs;
    const dialAtMs = target.peer.dialAt?.getTime() ?? 0;
    return Math.max(dialAtMs, this.#waitUntilMs) - Date.now();
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    try {
      const client = await this.#reach(signal);
      await this.#keep(client, signal);
    } catch (error) {
      if (!signal.aborted) await this.#failed(error);
    } finally {
      this.#session = undefined;
    }
  }

  async #reach(signal: AbortSignal): Promise<PeerClient> {
    const { parts, dialer, site } = this.#options;
    const client = await dialer.reach(
      { site, endpoints: this.#target!.endpoints, room: this.#target!.rooms.keys().next().value },
      (one) => this.#greet(one, signal),
      signal,
    );
    await parts.peers.contacted(site);
    await parts.peers.happened(site, 'returned');
    this.#waitUntilMs = 0;
    return client;
  }

  /** Whoever can answer for a room is the peer, also when it refuses. */
  async #greet(client: PeerClient, signal: AbortSignal): Promise<void> {
    const { parts } = this.#options;
    for (const [room, { links }] of this.#target!.rooms) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- the first room that it knows
        const { vector, members } = await client.head(room, signal, greetTimeoutMs);
        // oxlint-disable-next-line no-await-in-loop
        await parts.members.take(room, members);
        links.heard(client.site, vector);
        return;
      } catch (error) {
        if (!(error instanceof LinkError) || error.fault === 'bad_answer') throw error;
        if (error.retryAfterMs !== undefined) throw error;
      }
    }
  }

  async #keep(client: PeerClient, signal: AbortSignal): Promise<void> {
    const { parts, site } = this.#options;
    this.clockOffsetMs = client.clockOffsetMs;
    const onHeard = ({ clockOffsetMs }: { clockOffsetMs?: number }) => {
      if (clockOffsetMs !== undefined) this.clockOffsetMs = clockOffsetMs;
    };
    const session = new PeerSession({ client, parts, onHeard });
    this.#session = session;
    session.share(this.#target!.rooms);
    parts.logger.info({ event: 'link.opened', peer: site });
    await session.run(signal);
  }

  async #failed(error: unknown): Promise<void> {
    const { parts, site } = this.#options;
    const isOurs = !isPeersFault(error);
    const fields = { peer: site, fault: faultOf(error) };
    if (isOurs) {
      parts.logger.warn({ event: 'link.fault', ...fields, err: error });
      this.#waitUntilMs = Date.now() + faultMs;
      return;
    }
    try {
      const waitMs = await parts.peers.failed(site);
      const asked = error instanceof LinkError ? (error.retryAfterMs ?? 0) : 0;
      this.#waitUntilMs = Date.now() + Math.max(waitMs, asked);
      const { failedAttempts = 0 } = (await parts.peers.find(site)) ?? {};
      const event = failedAttempts >= failuresUntilLost ? 'lost' : 'lagging';
      await parts.peers.happened(site, event, reasonOf(error));
      parts.logger.info({ event: 'link.lost', ...fields, waitMs });
    } catch (cause) {
      if (!isConnectionError(cause)) throw cause;
      this.#waitUntilMs = Date.now() + faultMs;
    }
  }
}

/** What the peer, or the way to it, is to blame for; the rest is this site's own trouble and costs it no backoff. */
function isPeersFault(error: unknown): boolean {
  return [LinkError, DialError, HopError, StrictJsonError].some((kind) => error instanceof kind);
}

const reasonCharsMax = 300;

/** For the operator. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const text = error instanceof LinkError ? message : `${faultOf(error)}: ${message}`;
  return text.slice(0, reasonCharsMax);
}

function faultOf(error: unknown): string {
  if (error instanceof LinkError) return error.fault;
  if (error instanceof DialError || error instanceof HopError) return error.failure;
  return error instanceof Error ? error.name : 'unknown';
}
