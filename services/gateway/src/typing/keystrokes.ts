import { limits, type PresentUser } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';

/** Who types where. */
export interface TypingPlace {
  board: string;
  subject: string;
  user: PresentUser;
}

/** What keystrokes come through: a connection of this pod. */
export type Hand = object;

interface Typist {
  place: TypingPlace;
  hands: Set<Hand>;
  announcedAt: number;
  end: NodeJS.Timeout;
}

/** However fast someone types, it is told once in so long. */
export const announceEveryMs = 1_000;
/** Nobody types in more places at once. */
export const placesPerHandMax = 16;

/**
 * Keystrokes that came to this pod. Several of a user in one place are told at most once a second; they end when
 * nothing has been typed for a while, when the hands say so or are gone, and on a post.
 */
export class Keystrokes {
  readonly #announce: (place: TypingPlace, on: boolean) => void;
  readonly #typists = new Map<string, Typist>();
  readonly #keysOf = new Map<Hand, Set<string>>();

  constructor(announce: (place: TypingPlace, on: boolean) => void) {
    this.#announce = announce;
  }

  get size(): number {
    return this.#typists.size;
  }

  /** @throws AppError `rate_limited` for a hand in too many places. */
  pressed(hand: Hand, place: TypingPlace): void {
    const key = placeKey(place);
    const keys = this.#keysOf.get(hand) ?? new Set();
    if (!keys.has(key) && keys.size >= placesPerHandMax) {
      throw new AppError('rate_limited', {
        detail: `typing in ${placesPerHandMax} subjects`,
        retryAfterMs: limits.typingMs,
      });
    }
    this.#keysOf.set(hand, keys.add(key));
    const typist = this.#typists.get(key) ?? this.#started(key, place);
    typist.hands.add(hand);
    typist.end.refresh();
    const now = performance.now();
    if (now - typist.announcedAt < announceEveryMs) return;
    typist.announcedAt = now;
    this.#announce(place, true);
  }

  /** A hand stops; the user goes on where another hand of theirs does. */
  released(hand: Hand, place: TypingPlace): void {
    this.#release(hand, placeKey(place));
  }

  /** A hand is gone. */
  gone(hand: Hand): void {
    for (const key of this.#keysOf.get(hand) ?? []) this.#release(hand, key);
  }

  /** It has ended for everybody; nobody needs to be told by this pod. */
  forget(place: TypingPlace): void {
    this.#take(placeKey(place));
  }

  close(): void {
    for (const { end } of this.#typists.values()) clearTimeout(end);
    this.#typists.clear();
    this.#keysOf.clear();
  }

  #started(key: string, place: TypingPlace): Typist {
    const end = setTimeout(() => this.#ended(key), limits.typingMs).unref();
    const typist = { place, hands: new Set<Hand>(), announcedAt: -Infinity, end };
    this.#typists.set(key, typist);
    return typist;
  }

  #release(hand: Hand, key: string): void {
    const typist = this.#typists.get(key);
    if (typist?.hands.delete(hand) !== true) return;
    this.#unfile(hand, key);
    if (typist.hands.size === 0) this.#ended(key);
  }

  #ended(key: string): void {
    const typist = this.#take(key);
    if (typist !== undefined) this.#announce(typist.place, false);
  }

  #take(key: string): Typist | undefined {
    const typist = this.#typists.get(key);
    if (typist === undefined) return undefined;
    clearTimeout(typist.end);
    this.#typists.delete(key);
    for (const hand of typist.hands) this.#unfile(hand, key);
    return typist;
  }

  #unfile(hand: Hand, key: string): void {
    const keys = this.#keysOf.get(hand);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOf.delete(hand);
  }
}

export function placeKey({ board, subject, user }: TypingPlace): string {
  return `${board}\n${subject}\n${user.id}`;
}
