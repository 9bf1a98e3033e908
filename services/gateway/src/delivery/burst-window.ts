/** A pass over fewer members costs less than the wait. */
const membersMin = 250;
const windowMs = 1;

/**
 * Whether it pays to wait a moment for the rest of a burst. Its first event alone would start a pass that takes some ten
 * microseconds a member, and the rest, which comes while that pass is under way, a second one. Boards whose events come
 * one by one are never made to wait.
 */
export class BurstWindow {
  #comesInBursts = false;

  /** Milliseconds to wait before the first pass after a pause. */
  waitMs(members: number): number {
    return this.#comesInBursts && members >= membersMin ? windowMs : 0;
  }

  /** @param events what the wait brought together with what it waited behind */
  waited(events: number): void {
    this.#comesInBursts = events > 1;
  }

  /** The first pass after a pause is over. @param hasMore whether more came while it was under way */
  passed(hasMore: boolean): void {
    this.#comesInBursts ||= hasMore;
  }
}
