import { limits } from '@boardwire/contracts';
import { announceEveryMs, placeKey, type TypingPlace } from './keystrokes.ts';

/** A pod that dies says nothing: what it told runs out by itself, a second after it should have been told again. */
const heardForMs = limits.typingMs + 2 * announceEveryMs;
/** More in one place are a crowd, and of no use to anybody who reads it. */
export const typistsPerSubjectMax = 20;
export const typistsMax = 10_000;

interface Heard {
  place: TypingPlace;
  /** By pod, what ends it. */
  ends: Map<string, NodeJS.Timeout>;
}

/** Who types, as all pods tell it. */
export class Typists {
  readonly #tell: (place: TypingPlace, on: boolean) => void;
  readonly #heard = new Map<string, Heard>();
  readonly #bySubject = new Map<string, number>();

  constructor(tell: (place: TypingPlace, on: boolean) => void) {
    this.#tell = tell;
  }

  get size(): number {
    return this.#heard.size;
  }

  has(place: TypingPlace): boolean {
    return this.#heard.has(placeKey(place));
  }

  /** Told each time it is heard: who has just come needs to know as well. */
  heard(pod: string, place: TypingPlace): void {
    const heard = this.#heard.get(placeKey(place)) ?? this.#started(place);
    if (heard === undefined) return;
    clearTimeout(heard.ends.get(pod));
    heard.ends.set(pod, setTimeout(() => this.ended(pod, place), heardForMs).unref());
    this.#tell(place, true);
  }

  /** One pod's part of it has ended. */
  ended(pod: string, place: TypingPlace): void {
    const heard = this.#heard.get(placeKey(place));
    if (heard === undefined) return;
    clearTimeout(heard.ends.get(pod));
    heard.ends.delete(pod);
    if (heard.ends.size === 0) this.endedForAll(place);
  }

  endedForAll(place: TypingPlace): void {
    const key = placeKey(place);
    const heard = this.#heard.get(key);
    if (heard === undefined) return;
    for (const end of heard.ends.values()) clearTimeout(end);
    this.#heard.delete(key);
    this.#count(heard.place, -1);
    this.#tell(heard.place, false);
  }

  close(): void {
    for (const { ends } of this.#heard.values()) for (const end of ends.values()) clearTimeout(end);
    this.#heard.clear();
    this.#bySubject.clear();
  }

  #started(place: TypingPlace): Heard | undefined {
    const inSubject = this.#bySubject.get(subjectKey(place)) ?? 0;
    if (inSubject >= typistsPerSubjectMax || this.#heard.size >= typistsMax) return undefined;
    const heard = { place, ends: new Map<string, NodeJS.Timeout>() };
    this.#heard.set(placeKey(place), heard);
    this.#count(place, 1);
    return heard;
  }

  #count(place: TypingPlace, by: 1 | -1): void {
    const key = subjectKey(place);
    const count = (this.#bySubject.get(key) ?? 0) + by;
    if (count > 0) this.#bySubject.set(key, count);
    else this.#bySubject.delete(key);
  }
}

function subjectKey({ board, subject }: TypingPlace): string {
  return `${board}\n${subject}`;
}
