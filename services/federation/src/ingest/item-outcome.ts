/** What became of one item. */
export type ItemOutcome =
  | { outcome: 'accepted' | 'duplicate'; oseq: number }
  /** Nothing changed: backfill from `expected`. */
  | { outcome: 'gap'; expected: number }
  /** Nothing changed: it is fetched from another member, and the carrier is blamed. */
  | { outcome: 'unverifiable'; reason: Unverifiable }
  /** The feed goes on over a recorded hole, and the origin is blamed. */
  | { outcome: 'refused'; reason: Refusal; oseq: number }
  /** Nothing changed, and nobody is blamed: it came around, or from too far. */
  | { outcome: 'dropped'; reason: 'looped' | 'via_too_long' }
  | { outcome: 'equivocation' }
  | { outcome: 'frozen' }
  | { outcome: 'unknown_feed' };

export type Unverifiable =
  | 'too_large'
  | 'malformed'
  | 'unknown_key'
  | 'signature'
  | 'room'
  | 'prev'
  | 'datahash'
  /**
   * That an event was removed is believed of its origin, or by a redaction that comes with it: else a carrier could empty
   * what it carries. That something was redacted is never withheld.
   */
  | 'data_withheld';

export type Refusal = 'subject' | 'attributes' | 'data_form' | 'redaction';
