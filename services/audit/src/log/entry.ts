import type { DecisionFacts } from './decision-facts.ts';

/** One entry on its way into the log. */
export interface Entry {
  /** The exact text that is hashed: canonical JSON (RFC 8785). */
  record: string;
  leaf: Buffer;
  /** `YYYY-MM-DD` in the zone that the record names. */
  day: string;
  /** JSON text of what may have to be forgotten, or `null`. */
  detail: string;
  /** What it is found by out of its detail; most have nothing. */
  facts?: DecisionFacts | undefined;
  /** When the event was committed or the decision taken, milliseconds since the Unix epoch. */
  atMs: number;
  /** Where it came from; stored in the same transaction, so that it can't come in twice. */
  from: EventPlace | InboxPlace | OwnPlace;
}

export interface EventPlace {
  kind: 'event';
  board: string;
  epoch: string;
  seq: number;
}

export interface InboxPlace {
  kind: 'decision';
  position: number;
}

/** The log's own: the first entry of a new epoch. */
export interface OwnPlace {
  kind: 'log';
}

/** A run of numbers that should be in the log and are not. Both ends belong to it. */
export interface Gap {
  kind: 'board' | 'decisions';
  name: string;
  epoch: string;
  first: number;
  last: number;
}
