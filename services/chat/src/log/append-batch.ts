import type { AppendOutcome } from '@boardwire/contracts';
import { timeOf, type PreparedEvent } from './event-bytes.ts';
import type { Appended } from './append-store.ts';
import type { RelayRow } from './relay-store.ts';

/** An item of a request: an event to store, or a refusal that was clear beforehand. */
export type Submitted = PreparedEvent | AppendOutcome;

export const isPrepared = (submitted: Submitted): submitted is PreparedEvent => 'body' in submitted;

/** The events of a batch without those that repeat an earlier one of the same batch. */
export class AppendBatch {
  /** What the log has to store, in order. */
  readonly unique: PreparedEvent[] = [];
  readonly #indexOfKey = new Map<string, number>();

  add(event: PreparedEvent): void {
    if (this.#indexOfKey.has(event.key)) return;
    this.#indexOfKey.set(event.key, this.unique.length);
    this.unique.push(event);
  }

  /** Outcomes by what the log answered: the first bearer of a key is created, every further one repeats it. */
  outcomes(appended: Appended): (event: PreparedEvent) => AppendOutcome {
    const places = this.#places(appended);
    const taken = new Set<number>();
    return (event) => {
      const index = this.#indexOfKey.get(event.key)!;
      const place = places[index]!;
      if (!isSame(place, event)) return conflict(event);
      const isFirst = !place.isKnown && !taken.has(index);
      taken.add(index);
      const { seq, time } = place;
      return { outcome: isFirst ? 'created' : 'repeated', id: event.id, seq, epoch: appended.epoch, time };
    };
  }

  /** What the log did not know before, as it now stands there. */
  created({ base, known, epoch, committedMs }: Appended): RelayRow[] {
    const knownIndexes = new Set(known.map(({ n }) => n));
    const created = this.unique.filter((_, index) => !knownIndexes.has(index));
    return created.map(({ subject, type, class: eventClass, datahash, body }, index) => ({
      seq: base + 1 + index,
      epoch,
      subject,
      type,
      class: eventClass,
      committedMs,
      datahash,
      body,
    }));
  }

  #places({ base, known }: Appended): Place[] {
    const knownByIndex = new Map(known.map((event) => [event.n, event]));
    let seq = base;
    return this.unique.map((event, index): Place => {
      const found = knownByIndex.get(index);
      if (found === undefined) return { seq: ++seq, content: event.contentHash, time: event.time, isKnown: false };
      const time = timeOf(found.start) ?? new Date(found.committedMs).toISOString();
      return { seq: found.seq, content: found.content, time, isKnown: true };
    });
  }
}

interface Place {
  seq: number;
  content: string;
  time: string;
  isKnown: boolean;
}

/**
 * What was removed here is known by its id alone. Federation, which may hand an event over again after a crash, has to
 * learn that it was taken; anybody else would learn that they guessed the id.
 */
function isSame({ content }: Place, { contentHash, foreignOrigin }: PreparedEvent): boolean {
  return content === contentHash || (content === '' && foreignOrigin !== undefined);
}

const conflict = ({ id }: PreparedEvent): AppendOutcome => ({ outcome: 'refused', id, code: 'event_conflict' });
