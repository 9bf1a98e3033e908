import type { FailedReaders } from './failed-readers.ts';
import type { LiveGroup, LiveMember } from './live-group.ts';
import { nextTurn, writesPerTurn } from './pass-turns.ts';

/** An event that is never stored: it has no position, and only who is live when it comes gets it. */
export interface EphemeralEvent {
  subject: string;
  type: string;
  /** Final event JSON. */
  bytes: Buffer;
}

export interface EphemeralObserver {
  /** After a pass; `dropped` counts deliveries that an outbox had no room for. */
  onEphemeralPass(pass: { deliveries: number; dropped: number }): void;
  /** More came than the pass could take on. */
  onEphemeralOverflow(events: number): void;
}

export interface EphemeralLaneOptions {
  observer: EphemeralObserver;
  readersOf: (subject: string) => readonly LiveGroup[];
  failed: FailedReaders;
}

const waitingEventsMax = 1_024;
const waitingBytesMax = 1024 * 1024;
/** One pass stays far below the room that an outbox has for what may be dropped. */
const passBytesMax = 64 * 1024;

/**
 * The ephemeral events of one board on their way to its live members, beside the log's own passes: what one tick brought
 * is encoded once for each format and written as one Buffer. It is bounded, and what doesn't fit is dropped and counted:
 * nobody was promised it.
 */
export class EphemeralLane {
  readonly #options: EphemeralLaneOptions;
  #waiting: EphemeralEvent[] = [];
  #bytes = 0;
  /** Rises when rules change; a pass of before stops where it is. */
  #generation = 0;

  constructor(options: EphemeralLaneOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(event: EphemeralEvent): void {
    if (this.#waiting.length >= waitingEventsMax || this.#bytes + event.bytes.length > waitingBytesMax) {
      this.#options.observer.onEphemeralOverflow(1);
      return;
    }
    this.#waiting.push(event);
    this.#bytes += event.bytes.length;
  }

  /** What a pass under way has matched no longer holds. */
  interrupt(): void {
    this.#generation += 1;
  }

  async pass(): Promise<void> {
    const generation = this.#generation;
    const encoded = new Map<string, Buffer>();
    let deliveries = 0;
    let dropped = 0;
    let writes = 0;
    for (const [group, matched] of this.#match(this.#takeSlice())) {
      const bytes = this.#encode(group, matched, encoded);
      if (bytes === undefined) continue;
      for (const member of group.members) {
        if (this.#deliverTo(member, group, { bytes, events: matched.events.length }))
          deliveries += matched.events.length;
        else dropped += matched.events.length;
        writes += 1;
        // oxlint-disable-next-line no-await-in-loop -- the turn of others
        if (writes % writesPerTurn === 0) await nextTurn();
        if (this.#generation !== generation) return;
      }
    }
    if (writes > 0) this.#options.observer.onEphemeralPass({ deliveries, dropped });
  }

  #takeSlice(): EphemeralEvent[] {
    let bytes = 0;
    let count = 0;
    for (const event of this.#waiting) {
      if (count > 0 && bytes + event.bytes.length > passBytesMax) break;
      bytes += event.bytes.length;
      count += 1;
    }
    this.#bytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  #match(events: readonly EphemeralEvent[]): Map<LiveGroup, Matched> {
    const matched = new Map<LiveGroup, Matched>();
    for (const [at, event] of events.entries()) {
      for (const group of this.#options.readersOf(event.subject)) {
        if (group.encoder.encodeEphemeral === undefined || !group.wanted.takesType(event.type)) continue;
        if (group.wanted.ignores(event)) continue;
        const wanted = matched.get(group);
        if (wanted === undefined) matched.set(group, { events: [event], key: `${group.encoder.sharedKey} ${at}` });
        else {
          wanted.events.push(event);
          wanted.key += `,${at}`;
        }
      }
    }
    return matched;
  }

  /** Groups of one format that want the very same events share one Buffer. */
  #encode(group: LiveGroup, { events, key }: Matched, encoded: Map<string, Buffer>): Buffer | undefined {
    try {
      let bytes = encoded.get(key);
      if (bytes === undefined) encoded.set(key, (bytes = group.encoder.encodeEphemeral!(events)));
      return bytes;
    } catch (error) {
      this.#options.failed.endGroup(group, error);
      return undefined;
    }
  }

  /** Whatever happens to one member, the pass goes on. @returns false when it was dropped. */
  #deliverTo(member: LiveMember, group: LiveGroup, { bytes, events }: { bytes: Buffer; events: number }): boolean {
    try {
      return member.deliverEphemeral?.(bytes, events) ?? false;
    } catch (error) {
      this.#options.failed.endMember(member, group, error);
      return false;
    }
  }
}

interface Matched {
  events: EphemeralEvent[];
  /** The format and which events of the pass these are. */
  key: string;
}
