import { createHash } from 'node:crypto';
import { federationLimits, type MemberBundle, type PushOutcome, type WireItem } from '@boardwire/contracts';
import type { EpochRow } from './epoch-rows.ts';
import { Alarm } from './alarm.ts';
import { LinkError } from './link-error.ts';
import type { LinkParts } from './link-parts.ts';
import type { PeerClient } from './peer-client.ts';
import type { RoomLinks } from './room-links.ts';
import { StreamWatch } from './stream-watch.ts';

export interface RoomPushOptions {
  links: RoomLinks;
  client: PeerClient;
  parts: LinkParts;
}

interface Batch {
  site: string;
  epoch: string;
  from: number;
  items: WireItem[];
}

/** A peer that can dial us opens its stream within this time; one that has none then gets what is new brought. */
const withoutStreamMs = 1_000;
/** Others' events come to it by others, who are closer to them: what hasn't come after this long is brought too. */
const othersBehindMs = 1_000;
const lookEveryMs = 1_000;
const stalledMs = { min: 1_000, max: 60_000 };

/**
 * Brings a room's events to a peer that doesn't fetch them, because it can't dial this site: this site's own at once,
 * others' when the peer stays behind with them. Every answer says what the peer has then, and from there it goes on.
 */
export class RoomPush {
  readonly #options: RoomPushOptions;
  readonly #alarm = new Alarm();
  readonly #sent = new Set<string>();
  readonly #behindSince = new Map<string, number>();
  readonly #watch = new StreamWatch();
  #withoutStreamSince = Date.now();
  #stalls = 0;

  constructor(options: RoomPushOptions) {
    this.#options = options;
  }

  /** @throws LinkError, DialError, HopError */
  async run(signal: AbortSignal): Promise<void> {
    const { parts, links } = this.#options;
    const unlisten = [
      parts.reader.onGrown((room) => room === links.room && this.#alarm.ring()),
      parts.contacts.onChanged(() => this.#alarm.ring()),
      parts.members.onChanged((room) => room === links.room && this.#alarm.ring()),
    ];
    try {
      while (!signal.aborted) {
        const restMs = this.#withoutStreamForMs();
        // oxlint-disable-next-line no-await-in-loop -- one batch after the other
        const moved = restMs === 0 && (await this.#push(signal));
        // oxlint-disable-next-line no-await-in-loop
        if (!moved) await this.#alarm.wait(restMs || lookEveryMs, signal);
      }
    } finally {
      for (const end of unlisten) end();
    }
  }

  /** How long to wait before it is certain that the peer doesn't fetch by itself. */
  #withoutStreamForMs(): number {
    const { parts, links, client } = this.#options;
    if (parts.contacts.hasStream(client.site, links.room)) {
      this.#withoutStreamSince = Date.now();
      if (this.#watch.isDeaf(this.#placeOfOwn())) parts.contacts.dismiss(client.site, links.room);
    }
    return Math.max(0, this.#withoutStreamSince + withoutStreamMs - Date.now());
  }

  /** How far the peer has this site's own feed, when it lacks some of it. */
  #placeOfOwn(): number | undefined {
    const { parts, links, client } = this.#options;
    const told = links.progress.toldBy(client.site);
    if (told === undefined || this.#startOf(parts.site) === undefined) return undefined;
    return told[parts.site]?.n ?? 0;
  }

  /** Whether there is more to do. */
  async #push(signal: AbortSignal): Promise<boolean> {
    const { parts, links, client } = this.#options;
    await links.progress.refresh();
    const bundles = (await parts.members.bundles(links.room)).filter((bundle) => !this.#sent.has(nameOf(bundle)));
    const next = await this.#next();
    if (next === undefined && bundles.length === 0) return false;
    const members = bundles.slice(0, federationLimits.membersMax);
    const items = next?.items ?? [];
    const answer = await client.push(links.room, { ...(members.length > 0 ? { members } : {}), items }, signal);
    for (const bundle of members) this.#sent.add(nameOf(bundle));
    links.heard(client.site, answer.vector);
    if (answer.outcomes.length !== items.length) throw new LinkError('bad_answer', 'outcomes are missing');
    parts.metrics.items('out', 'pushed', answer.outcomes.filter(({ outcome }) => outcome === 'accepted').length);
    if (next !== undefined) await this.#judge(answer.outcomes, next, signal);
    return true;
  }

  /** A peer that takes nothing of what it is brought is left alone for a while. */
  async #judge(outcomes: readonly PushOutcome[], { site, epoch, from }: Batch, signal: AbortSignal): Promise<void> {
    const start = this.#startOf(site);
    if (start?.epoch !== epoch || start.from !== from) {
      this.#stalls = 0;
      return;
    }
    // It doesn't know a feed's record although it was told: told again, from the beginning.
    if (outcomes.some(({ outcome }) => outcome === 'unknown_feed')) this.#sent.clear();
    this.#stalls += 1;
    const waitMs = Math.min(stalledMs.max, stalledMs.min * 2 ** Math.min(this.#stalls - 1, 8));
    await new Alarm().wait(waitMs, signal);
  }

  /** The first feed of which the peer lacks something that it should have from here. */
  async #next(): Promise<Batch | undefined> {
    const { parts, links, client } = this.#options;
    const others = Object.keys(links.progress.vector).filter((site) => site !== parts.site && site !== client.site);
    for (const site of [parts.site, ...others]) {
      const start = this.#startOf(site);
      if (start === undefined || !this.#isDue(site)) {
        if (start === undefined) this.#behindSince.delete(site);
        continue;
      }
      const { epoch, from } = start;
      // oxlint-disable-next-line no-await-in-loop -- the first that has something
      const items = await parts.reader.page(links.room, site, epoch, { from, limit: federationLimits.batchItemsMax });
      if (items.length > 0) return { site, epoch, from, items };
    }
    return undefined;
  }

  #isDue(site: string): boolean {
    if (site === this.#options.parts.site) return true;
    const sinceMs = this.#behindSince.get(site) ?? Date.now();
    this.#behindSince.set(site, sinceMs);
    return Date.now() - sinceMs >= othersBehindMs;
  }

  /** The place after the peer's last one; undefined when it has all that is here. */
  #startOf(site: string): { epoch: string; from: number } | undefined {
    const { links, client } = this.#options;
    const rows = links.progress.rows.filter((row) => row.site === site);
    const position = links.progress.toldBy(client.site)?.[site];
    const at = position === undefined ? 0 : rows.findIndex(({ epoch }) => epoch === position.epoch);
    if (at === -1) return undefined;
    const have = position?.n ?? 0;
    const later = rows.slice(at + 1).find(({ n }) => n > 0);
    const row: EpochRow | undefined = (rows[at]?.n ?? 0) > have ? rows[at] : later;
    return row === undefined ? undefined : { epoch: row.epoch, from: row === rows[at] ? have + 1 : 1 };
  }
}

const nameOf = (bundle: MemberBundle) => createHash('sha256').update(JSON.stringify(bundle)).digest('base64');
