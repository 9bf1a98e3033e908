import { createHash } from 'node:crypto';
import type { FeedVector } from '@boardwire/contracts';
import { isConnectionError, type Database } from '@boardwire/database';
import type { Logger } from '@boardwire/service-kit';
import type { Envelope } from '@boardwire/signing';
import type { FeedReader } from '../../feeds/feed-reader.ts';
import type { RoomMembers } from '../../members/room-members.ts';

/** One epoch of a feed, as far as this site has it. */
export interface EpochPosition {
  epoch: string;
  n: number;
  hash: string;
}

interface EpochRow extends EpochPosition {
  site: string;
  /** Of its document; null for this site's own. */
  ver: number | null;
}

/** A member frame, as it is sent, and by what it is known to have been sent. */
export interface MemberLine {
  digest: string;
  line: string;
}

export interface RoomPulseParts {
  database: Database;
  reader: FeedReader;
  members: RoomMembers;
  logger: Logger;
}

const lookEveryMs = 500;
const headFreshMs = 5_000;

/**
 * What one room's streams have in common: how far its feeds are, who takes part, the own feed's signed head. Read once for
 * all of them, when something has grown here, and twice a second for what another replica did.
 */
export class RoomPulse {
  readonly #room: string;
  readonly #parts: RoomPulseParts;
  readonly #listeners = new Set<() => void>();
  readonly #stops: (() => void)[];
  #epochs: ReadonlyMap<string, readonly EpochPosition[]> = new Map();
  #text = '';
  #documents = '';
  #reading: Promise<void> | undefined;
  #isStale = false;
  #members: Promise<MemberLine[]> | undefined;
  #head: { text: string; at: number; envelope: Promise<Envelope | undefined> } | undefined;

  constructor(room: string, parts: RoomPulseParts) {
    this.#room = room;
    this.#parts = parts;
    const timer = setInterval(() => this.#look(), lookEveryMs);
    this.#stops = [
      () => clearInterval(timer),
      parts.reader.onGrown((grown) => grown === room && this.#look()),
      parts.members.onChanged((changed) => changed === room && this.#membersChanged()),
    ];
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  onBeat(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Of a site's feed, the oldest first. */
  epochsOf(site: string): readonly EpochPosition[] {
    return this.#epochs.get(site) ?? [];
  }

  /** Changes whenever any feed does. */
  get mark(): string {
    return this.#text;
  }

  get vector(): FeedVector {
    const newest = [...this.#epochs].map(([site, epochs]) => [site, epochs.at(-1)!] as const);
    return Object.fromEntries(
      newest.map(([site, { epoch, n, hash }]) => [site, n === 0 ? { epoch, n } : { epoch, n, hash }]),
    );
  }

  members(): Promise<readonly MemberLine[]> {
    return (this.#members ??= this.#readMembers());
  }

  /** This site's signed word of its feed, a few seconds old at most. */
  head(): Promise<Envelope | undefined> {
    const at = performance.now();
    if (this.#head === undefined || this.#head.text !== this.#text || at - this.#head.at > headFreshMs) {
      this.#head = { text: this.#text, at, envelope: this.#parts.reader.signedHead(this.#room) };
      this.#head.envelope.catch(() => (this.#head = undefined));
    }
    return this.#head.envelope;
  }

  /** Whoever asks gets what is not older than the question. */
  async refresh(): Promise<void> {
    this.#isStale = true;
    while (this.#isStale) {
      this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
      // oxlint-disable-next-line no-await-in-loop -- once more when it had begun before
      await this.#reading;
    }
  }

  #look(): void {
    this.refresh().catch((error: unknown) => {
      if (!isConnectionError(error)) this.#parts.logger.error({ event: 'wire.pulse_failed', err: error });
    });
  }

  async #read(): Promise<void> {
    this.#isStale = false;
    const rows = await this.#parts.database.query<EpochRow>(allEpochs, [this.#room]);
    this.#lookAtDocuments(rows);
    const text = JSON.stringify(rows.map(({ site, epoch, n }) => [site, epoch, n]));
    if (text === this.#text) return;
    const before = this.#epochs;
    const epochs = new Map<string, EpochPosition[]>();
    for (const { site, epoch, n, hash } of rows) epochs.set(site, [...(epochs.get(site) ?? []), { epoch, n, hash }]);
    this.#epochs = epochs;
    this.#text = text;
    // Its record goes to everybody before what stands in it.
    if ([...epochs].some(([site, own]) => own.length !== before.get(site)?.length)) this.#members = undefined;
    this.#beat();
  }

  /** One with new keys goes to everybody before what is signed with them, whichever replica has taken or made it. */
  #lookAtDocuments(rows: readonly EpochRow[]): void {
    const documents = JSON.stringify([
      this.#parts.members.documentVersion,
      ...rows.map(({ site, ver }) => [site, ver]),
    ]);
    if (documents === this.#documents) return;
    this.#documents = documents;
    this.#membersChanged();
  }

  #membersChanged(): void {
    this.#members = undefined;
    this.#beat();
  }

  #beat(): void {
    for (const listener of this.#listeners) listener();
  }

  async #readMembers(): Promise<MemberLine[]> {
    try {
      const bundles = await this.#parts.members.bundles(this.#room);
      return bundles.map((member) => {
        const line = `${JSON.stringify({ t: 'member', member })}\n`;
        return { line, digest: createHash('sha256').update(line).digest('base64') };
      });
    } catch (error) {
      this.#members = undefined;
      throw error;
    }
  }
}

const allEpochs = `
  SELECT site, epoch, n, encode(hash, 'hex') AS hash, ver
  FROM feed LEFT JOIN foreign_site USING (site) WHERE room = $1 ORDER BY site, ordinal`;
