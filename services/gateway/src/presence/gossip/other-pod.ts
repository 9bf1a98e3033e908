import { seatKey, type SeatState } from '../seat.ts';
import { SeatHash } from '../seat-hash.ts';
import { seatsOf, type MessageOf } from './gossip-message.ts';

export interface OtherPodOptions {
  pod: string;
  incarnation: string;
  /** So many subscriptions more or fewer keep a seat. */
  change: (seat: SeatState, by: number, graceMs?: number) => void;
  /** Room for seats of other pods that is left on this one; takes it when there is some. */
  room: SeatRoom;
}

/** Bounds what is kept of other pods, whatever they say. */
export interface SeatRoom {
  readonly left: number;
  take(): boolean;
  give(): void;
}

export const seatsPerPodMax = 50_000;

interface Assembly {
  version: number;
  parts: (readonly SeatState[] | undefined)[];
  missing: number;
}

/**
 * What this pod knows of another one's seats in one of its lives. It is current when version, count and hash are what
 * the pod itself says; each `on…` answers whether the whole list has to be asked for.
 */
export class OtherPod {
  readonly pod: string;
  readonly incarnation: string;
  readonly #options: OtherPodOptions;
  readonly #seats = new Map<string, SeatState>();
  readonly #hash = new SeatHash();
  /** Of what was taken in; -1 before the first list. */
  #version = -1;
  /** Something is missing up to this version. */
  #isBehind = true;
  /** There was no room for all of it. */
  #isPartial = false;
  #assembly: Assembly | undefined;
  /** Own ticks in which nothing was heard of it. */
  silentTicks = 0;

  constructor(options: OtherPodOptions) {
    this.pod = options.pod;
    this.incarnation = options.incarnation;
    this.#options = options;
  }

  get seats(): number {
    return this.#seats.size;
  }

  get needsList(): boolean {
    return this.#isBehind;
  }

  onBeat({ version, count, hash }: MessageOf<'beat'>): boolean {
    if (version < this.#version) return this.#isBehind;
    const isCurrent = version === this.#version && count === this.#seats.size && hash === this.#hash.text;
    // What did not fit is not asked for again before it can fit.
    const isAsGoodAsCanBe = this.#isPartial && version === this.#version && !this.#wouldFit(count);
    this.#isBehind = !isCurrent && !isAsGoodAsCanBe;
    return this.#isBehind;
  }

  onDelta(delta: MessageOf<'delta'>): boolean {
    if (delta.version <= this.#version) return this.#isBehind;
    const states = seatsOf(delta);
    if (states === undefined || delta.version !== this.#version + 1) {
      this.#isBehind = true;
      return true;
    }
    this.#version = delta.version;
    for (const state of states) this.#put(state);
    return this.#isBehind;
  }

  onList(list: MessageOf<'list'>): boolean {
    if (list.version < this.#version || !this.#isBehind) return this.#isBehind;
    const states = seatsOf(list);
    if (states === undefined || list.part >= list.parts) return true;
    let assembly = this.#assembly;
    if (assembly?.version !== list.version || assembly.parts.length !== list.parts) {
      assembly = { version: list.version, parts: Array.from({ length: list.parts }), missing: list.parts };
      this.#assembly = assembly;
    }
    if (assembly.parts[list.part] === undefined) assembly.missing -= 1;
    assembly.parts[list.part] = states;
    if (assembly.missing > 0) return true;
    this.#replace(assembly);
    this.#isBehind = !this.#isPartial && (list.count !== this.#seats.size || list.hash !== this.#hash.text);
    return this.#isBehind;
  }

  /** It is gone: whoever it kept leaves after `graceMs`. */
  drop(graceMs?: number): void {
    for (const state of this.#seats.values()) this.#put({ ...state, open: 0 }, graceMs);
  }

  #replace({ version, parts }: Assembly): void {
    this.#assembly = undefined;
    this.#version = version;
    this.#isPartial = false;
    const listed = new Map<string, SeatState>();
    for (const part of parts) for (const state of part ?? []) listed.set(seatKey(state), state);
    // First those who leave, which makes room; a leave is held for a while, so that nobody flaps by it.
    for (const [key, state] of this.#seats) if (!listed.has(key)) this.#put({ ...state, open: 0 });
    for (const state of listed.values()) this.#put(state);
  }

  #wouldFit(count: number): boolean {
    return count <= seatsPerPodMax && count - this.#seats.size <= this.#options.room.left;
  }

  #put(state: SeatState, graceMs?: number): void {
    const { room, change } = this.#options;
    const key = seatKey(state);
    const known = this.#seats.get(key);
    if (known === undefined) {
      if (state.open === 0) return;
      if (this.#seats.size >= seatsPerPodMax || !room.take()) {
        this.#isPartial = true;
        return;
      }
    } else {
      this.#hash.toggle(known);
    }
    if (state.open > 0) {
      this.#seats.set(key, state);
      this.#hash.toggle(state);
    } else {
      this.#seats.delete(key);
      room.give();
    }
    const by = state.open - (known?.open ?? 0);
    if (by !== 0) change(state, by, graceMs);
  }
}
