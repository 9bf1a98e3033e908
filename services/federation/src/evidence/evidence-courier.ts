import { federationPaths, type EvidenceRequest } from '@boardwire/contracts';
import { AdvisoryLock, isConnectionError, type Database } from '@boardwire/database';
import type { Logger, Loop } from '@boardwire/service-kit';
import type { Signature } from '../feeds/feed-items.ts';
import type { HopClient } from '../hop/hop-client.ts';
import { PeerEndpoints } from '../links/peer-endpoints.ts';
import { headerItem } from './evidence-book.ts';

export interface EvidenceCourierOptions {
  database: Database;
  client: HopClient;
  logger: Logger;
}

/** Evidence that a member hasn't been told of. */
interface Due {
  member: string;
  room: string;
  site: string;
  epoch: string;
  oseq: number;
  otherHash: Buffer;
  keptHeader: Buffer;
  keptSigs: Signature[];
  otherHeader: Buffer;
  otherSigs: Signature[];
}

const everyMs = 2_000;
const beatEveryMs = 250;
const wait = { minMs: 2_000, maxMs: 600_000 };
const answerBytesMax = 16 * 1024;

/**
 * Brings evidence to every other member that can be dialled, one replica at a time, until it has answered; what was told
 * survives a restart. A member that can't be reached is asked again later, and holds up no other.
 */
export class EvidenceCourier {
  readonly #options: EvidenceCourierOptions;
  readonly #endpoints: PeerEndpoints;
  readonly #waits = new Map<string, { failures: number; untilMs: number }>();

  constructor(options: EvidenceCourierOptions) {
    this.#options = options;
    this.#endpoints = new PeerEndpoints(options.database);
  }

  /** A supervised loop. */
  run(loop: Loop): Promise<void> {
    const body = (signal: AbortSignal) => this.#lead(loop, signal);
    return AdvisoryLock.lead(this.#options.database, 'evidence', loop.signal, body, () => loop.beat());
  }

  async #lead(loop: Loop, signal: AbortSignal): Promise<void> {
    const beater = setInterval(() => loop.beat(), beatEveryMs);
    try {
      while (!signal.aborted) {
        // oxlint-disable-next-line no-await-in-loop -- one pass after the other
        await this.#pass(signal).catch((error: unknown) => {
          if (!isConnectionError(error)) throw error;
        });
        // oxlint-disable-next-line no-await-in-loop
        await loop.idle(everyMs);
      }
    } finally {
      clearInterval(beater);
    }
  }

  async #pass(signal: AbortSignal): Promise<void> {
    const due = await this.#options.database.query<Due>(untold);
    if (due.length === 0) return;
    await this.#endpoints.refresh();
    const ready = due.filter(({ member }) => (this.#waits.get(member)?.untilMs ?? 0) <= Date.now());
    await Promise.all(ready.map((one) => this.#bring(one, signal)));
  }

  async #bring(due: Due, signal: AbortSignal): Promise<void> {
    const { member, room, site, epoch, oseq, otherHash } = due;
    if (!(await this.#isTaken(due, signal))) {
      const failures = (this.#waits.get(member)?.failures ?? 0) + 1;
      this.#waits.set(member, { failures, untilMs: Date.now() + Math.min(wait.maxMs, wait.minMs * 2 ** failures) });
      return;
    }
    this.#waits.delete(member);
    await this.#options.database.query(
      `INSERT INTO evidence_told (room, site, epoch, oseq, other_hash, member) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT DO NOTHING`,
      [room, site, epoch, oseq, otherHash, member],
    );
  }

  /** Also by who has judged it otherwise: it knows of it. */
  async #isTaken(due: Due, signal: AbortSignal): Promise<boolean> {
    const { member, room, site } = due;
    const request: EvidenceRequest = {
      items: [headerItem(site, due.keptHeader, due.keptSigs), headerItem(site, due.otherHeader, due.otherSigs)],
    };
    const body = Buffer.from(JSON.stringify(request));
    for (const endpoint of this.#endpoints.of(member)) {
      const url = endpoint.replace(/\/+$/, '') + federationPaths.evidence(room);
      try {
        const call = { method: 'POST' as const, url, destination: member, body, bytesMax: answerBytesMax, signal };
        // oxlint-disable-next-line no-await-in-loop -- one address after the other
        const { status } = await this.#options.client.call(call);
        if (status < 500 && status !== 429) return true;
      } catch (error) {
        this.#options.logger.debug({ event: 'evidence.not_told', peer: member, room, err: error });
      }
    }
    return false;
  }
}

/** Neither to the site that it is about, nor to whom it came from. */
const untold = `
  SELECT peer.site AS member, e.room, e.site, e.epoch, e.oseq, e.other_hash AS "otherHash", e.kept_header AS "keptHeader",
    e.kept_sigs AS "keptSigs", e.other_header AS "otherHeader", e.other_sigs AS "otherSigs"
  FROM evidence e
    JOIN peer_room ON peer_room.room = e.room
    JOIN peer ON peer.site = peer_room.site
    LEFT JOIN room_member ON room_member.room = e.room AND room_member.site = peer.site
    LEFT JOIN evidence_told told ON (told.room, told.site, told.epoch, told.oseq, told.other_hash, told.member) =
      (e.room, e.site, e.epoch, e.oseq, e.other_hash, peer.site)
  WHERE told.member IS NULL AND peer.site NOT IN (e.site, e.carrier) AND room_member.is_member IS NOT FALSE
    AND peer.state IN ('catching_up', 'live', 'degraded', 'offline')
  ORDER BY e.at LIMIT 32`;
