import { federationLimits, type FeedPosition, type HeadAnswer } from '@boardwire/contracts';
import { isConnectionError } from '@boardwire/database';
import { boundedSignal, type Loop } from '@boardwire/service-kit';
import type { Envelope } from '@boardwire/signing';
import type { FeedEpochs } from '../feeds/feed-epochs.ts';
import type { OwnRecovery } from '../feeds/own-recovery.ts';
import { mayExchange } from '../peers/peer-state.ts';
import { RoomStore, type Room } from '../rooms/room-store.ts';
import { Alarm } from './alarm.ts';
import type { PeerDialer } from './dial-peer.ts';
import { epochRows } from './epoch-rows.ts';
import type { LinkParts } from './link-parts.ts';
import type { PeerClient } from './peer-client.ts';
import { PeerEndpoints } from './peer-endpoints.ts';

export interface EpochRuleOptions {
  parts: LinkParts;
  epochs: FeedEpochs;
  recovery: OwnRecovery;
  dialer: PeerDialer;
  /** The feed of this board's room may grow now. */
  onCleared: (board: string) => Promise<void>;
  /** This site's feed of a room has a new epoch. */
  onOpened: (room: string) => void;
}

/** What a member says of this site's own feed. */
interface Word {
  site: string;
  position: FeedPosition | undefined;
  /** Its proof can be asked for. */
  client: PeerClient | undefined;
  epochs: readonly Envelope[];
}

const askMs = 3_000;
const againMs = { min: 250, max: 5_000 };
const pagesMax = 10_000;

/**
 * Before a site signs anything for a room after a start, it asks the other members how far its own feed had gone. One of
 * them may know more than the site itself, when that was put back to an earlier state; then what it has forgotten is
 * fetched back and the feed goes on in a new epoch, so that no place is ever signed twice. While no member can be heard the
 * feed waits; the board goes on, and what it gets meanwhile comes into the feed afterwards.
 */
export class EpochRule {
  readonly #options: EpochRuleOptions;
  readonly #rooms: RoomStore;
  readonly #endpoints: PeerEndpoints;
  readonly #cleared = new Set<string>();
  readonly #putBack = new Set<string>();
  readonly #alarm = new Alarm();

  constructor(options: EpochRuleOptions) {
    this.#options = options;
    this.#rooms = new RoomStore(options.parts.database);
    this.#endpoints = new PeerEndpoints(options.parts.database);
  }

  /** Whether it is known how far the own feed of a room has gone. */
  readonly isCleared = (room: string): boolean => this.#cleared.has(room);

  /** The database has lost what this process has signed, while it ran: the feed waits until it has a new epoch. */
  readonly putBack = (room: string): void => {
    if (!this.#putBack.has(room)) this.#options.parts.logger.error({ event: 'feed.put_back', room });
    this.#putBack.add(room);
    this.#cleared.delete(room);
    this.#alarm.ring();
  };

  /** A supervised loop. */
  async run(loop: Loop): Promise<void> {
    const unlisten = this.#options.parts.contacts.onChanged(() => this.#alarm.ring());
    const beater = setInterval(() => loop.beat(), 250);
    try {
      for (let waits = 0; !loop.signal.aborted;) {
        // oxlint-disable-next-line no-await-in-loop -- one pass after the other
        const isDone = await this.#pass(loop.signal).catch((error: unknown) => {
          if (!isConnectionError(error)) throw error;
          return false;
        });
        waits = isDone ? 0 : waits + 1;
        const waitMs = Math.min(againMs.max, againMs.min * 2 ** Math.min(waits, 8));
        // oxlint-disable-next-line no-await-in-loop
        await this.#alarm.wait(waitMs, loop.signal);
      }
    } finally {
      unlisten();
      clearInterval(beater);
    }
  }

  /** Whether no room waits any more. */
  async #pass(signal: AbortSignal): Promise<boolean> {
    const waiting = (await this.#rooms.all()).filter(({ id }) => !this.#cleared.has(id));
    if (waiting.length > 0) await this.#endpoints.refresh();
    const cleared = await Promise.all(waiting.map((room) => this.#clear(room, signal)));
    return cleared.every(Boolean);
  }

  async #clear(room: Room, signal: AbortSignal): Promise<boolean> {
    const { parts, onCleared } = this.#options;
    const others = await this.#others(room.id);
    let wasPutBack = this.#putBack.has(room.id);
    if (others.length > 0) {
      const words = await this.#ask(room.id, others, signal);
      if (words.length === 0 || signal.aborted) return false;
      if (await this.#wasPutBack(room, words, signal)) wasPutBack = true;
      if (signal.aborted) return false;
    }
    if (wasPutBack) await this.#openNew(room);
    this.#putBack.delete(room.id);
    this.#cleared.add(room.id);
    parts.logger.info({ event: 'feed.cleared', room: room.id, members: others.length });
    await onCleared(room.board);
    return true;
  }

  /** Members that could know something: those that something is exchanged with. */
  async #others(room: string): Promise<string[]> {
    const { parts } = this.#options;
    const peers = new Map((await parts.peers.all()).map((peer) => [peer.site, peer]));
    return (await parts.members.sites(room)).filter((site) => {
      const state = peers.get(site)?.state;
      return state !== undefined && mayExchange(state);
    });
  }

  async #ask(room: string, sites: readonly string[], signal: AbortSignal): Promise<Word[]> {
    const words = await Promise.all(sites.map((site) => this.#wordOf(site, room, signal)));
    return words.filter((word) => word !== undefined);
  }

  /** What it answers; of one that can't be dialled, what it said when it came. */
  async #wordOf(site: string, room: string, signal: AbortSignal): Promise<Word | undefined> {
    const { parts, dialer } = this.#options;
    const own = parts.site;
    const bounded = boundedSignal(askMs, signal);
    let head: HeadAnswer | undefined;
    const greet = async (client: PeerClient) => {
      head = await client.head(room, bounded.signal, askMs);
    };
    const endpoints = this.#endpoints.of(site);
    const client = await dialer.reach({ site, endpoints, room }, greet, bounded.signal).catch(() => undefined);
    bounded.release();
    if (client !== undefined && head !== undefined) {
      const { vector, members } = head;
      await this.#options.recovery.learn(members);
      return { site, position: vector[own], client, epochs: members.flatMap(({ epochs }) => epochs) };
    }
    const told = parts.contacts.vectorOf(site, room);
    return told && { site, position: told[own], client: undefined, epochs: [] };
  }

  /** Whether the site had gone further than it knows: all that proves it is fetched back, from whoever has some of it. */
  async #wasPutBack(room: Room, words: readonly Word[], signal: AbortSignal): Promise<boolean> {
    let wasPutBack = false;
    // First who can prove it: what is fetched back from them answers the others.
    for (const word of words.toSorted((one, other) => Number(!one.client) - Number(!other.client))) {
      // oxlint-disable-next-line no-await-in-loop -- each is measured by what the one before it has brought back
      if (await this.#isProof(room, word, signal)) wasPutBack = true;
    }
    return wasPutBack;
  }

  async #isProof(room: Room, word: Word, signal: AbortSignal): Promise<boolean> {
    const { parts, epochs } = this.#options;
    let isProven = false;
    for (const envelope of word.epochs) {
      // oxlint-disable-next-line no-await-in-loop -- the oldest first
      if (await epochs.readmit(room.id, envelope)) isProven = true;
    }
    if (!isProven && !(await this.#isAhead(room, word))) return false;
    // Of somebody who can't be asked for a proof the word alone counts: at worst it costs a new epoch.
    if (word.client === undefined) return true;
    if (await this.#fetchBack(room, word, signal)) return true;
    if (!isProven) {
      parts.logger.warn({ event: 'feed.unproven_word', room: room.id, peer: word.site, position: word.position });
    }
    return isProven;
  }

  /** Whether a member has more of the own feed than this site, or something else at the same place. */
  async #isAhead(room: Room, { position }: Word): Promise<boolean> {
    if (position === undefined || position.n === 0) return false;
    const { database, site } = this.#options.parts;
    const rows = await epochRows(database, room.id);
    const row = rows.find((known) => known.site === site && known.epoch === position.epoch);
    if (row === undefined || row.n < position.n) return true;
    const [kept] = await database.query<{ hash: string }>(
      `SELECT encode(hash, 'hex') AS hash FROM feed_item WHERE room = $1 AND site = $2 AND epoch = $3 AND oseq = $4`,
      [room.id, site, position.epoch, position.n],
    );
    return kept !== undefined && position.hash !== undefined && kept.hash !== position.hash;
  }

  /** Brings back what a member has kept of each epoch. Whether that proves that this site has signed it. */
  async #fetchBack(room: Room, { client, position }: Word, signal: AbortSignal): Promise<boolean> {
    const { database, site } = this.#options.parts;
    const rows = (await epochRows(database, room.id)).filter((row) => row.site === site);
    let isProven = false;
    for (const { epoch, n } of rows) {
      const isSamePlace = position?.epoch === epoch && position.n <= n;
      const from = isSamePlace ? position.n : n + 1;
      // oxlint-disable-next-line no-await-in-loop -- the oldest epoch first
      if (await this.#fetchEpoch(room, { client: client!, epoch, from }, signal)) isProven = true;
    }
    return isProven;
  }

  async #fetchEpoch(
    room: Room,
    { client, epoch, from }: { client: PeerClient; epoch: string; from: number },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { parts, recovery } = this.#options;
    const limit = federationLimits.batchItemsMax;
    let next = from;
    for (let pages = 0; pages < pagesMax; pages += 1) {
      // oxlint-disable-next-line no-await-in-loop -- a page after the other
      const page = await client
        .page(room.id, { site: parts.site, epoch, from: next, limit }, signal)
        .catch(() => undefined);
      // oxlint-disable-next-line no-await-in-loop
      const { taken, isForked } = await recovery.take(room, epoch, page?.items ?? []);
      if (isForked) return true;
      if (taken === 0) break;
      next += taken;
    }
    return next > from;
  }

  async #openNew(room: Room): Promise<void> {
    const { parts, epochs, onOpened } = this.#options;
    await epochs.openFeed(room.id);
    parts.logger.warn({ event: 'feed.epoch_opened', room: room.id, board: room.board });
    onOpened(room.id);
  }
}
