import { coreSubjects, encodeToken, limits } from '@boardwire/contracts';
import type { Bus, BusMessage } from '@boardwire/messaging';
import type { Loop } from '@boardwire/service-kit';
import type { Presence } from '../presence.ts';
import { decodeAsk, decodeGossip, encodeGossip, seatBatches, type GossipMessage } from './gossip-message.ts';
import { OtherPod, type SeatRoom } from './other-pod.ts';

export type GossipKind = GossipMessage['type'] | 'ask';
export type DropReason = 'silent' | 'bye';

export interface GossipObserver {
  onSent(kind: GossipKind): void;
  onDropped(reason: DropReason): void;
  /** Something came that is no message, or more than is taken from others. */
  onRefused(): void;
}

export interface GossipOptions {
  /** Different for each gateway of a site. */
  pod: string;
  /** Different for each life of a pod. */
  incarnation: string;
  bus: Pick<Bus, 'publish' | 'subscribe' | 'onStatus' | 'connected'>;
  presence: Presence;
  beatMs: number;
  observer: GossipObserver;
}

/** What is kept of other pods at most, in all. */
export const podsMax = 256;
export const otherSeatsMax = 200_000;

/** Changes that come within this leave in one delta. */
const deltaEveryMs = 50;
/** Thousands come or go at once in an outage. Telling of all of them in one turn held everybody up for 30 to 140 ms. */
const deltaSeatsMax = 256;
const nextDeltaMs = 1;

/**
 * Tells the other gateways who is on this one, and keeps what they tell. All of it is core NATS, which may lose
 * anything: a beat names the version, count and hash of what its pod has told, and whoever holds something else asks
 * for the whole list (docs/adr/0010-presence-by-gossip.md).
 */
export class Gossip {
  readonly #options: GossipOptions;
  readonly #others = new Map<string, OtherPod>();
  readonly #asking = new Map<OtherPod, NodeJS.Timeout>();
  readonly #room = new Room();
  readonly #endings: (() => void)[] = [];
  #deltaTimer: NodeJS.Timeout | undefined;
  #beatTimer: NodeJS.Timeout | undefined;
  #listTimer: NodeJS.Timeout | undefined;
  #listedAt = -Infinity;
  #isStopped = false;

  constructor(options: GossipOptions) {
    this.#options = options;
  }

  /** Other pods that are heard of. */
  get pods(): number {
    return this.#others.size;
  }

  /** Other pods of which something is missing here. */
  get podsBehind(): number {
    return [...this.#others.values()].filter(({ needsList }) => needsList).length;
  }

  start(): void {
    const { bus, pod, presence } = this.#options;
    const heard = bus.subscribe(coreSubjects.presenceAll, (message) => this.#receive(message));
    const asked = bus.subscribe(coreSubjects.presenceAsk(encodeToken(pod)), (message) => this.#asked(message));
    const unheard = bus.onStatus((isConnected) => this.#statusChanged(isConnected));
    this.#endings.push(
      () => heard.unsubscribe(),
      () => asked.unsubscribe(),
      unheard,
    );
    presence.own.onChange = () => this.#deltaSoon();
    this.#sendBeat();
  }

  /** Beats until the loop ends. */
  async run(loop: Loop): Promise<void> {
    while (!loop.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one beat after the other
      await loop.idle(this.#options.beatMs);
      if (!loop.signal.aborted) this.beat();
    }
  }

  /** To be called once a period: says what was told, and looks who has not been heard for too long. */
  beat(): void {
    // A loop that ends a moment later than gossip must not call the pod back to life.
    if (this.#isStopped) return;
    this.#sendBeat();
    // A pod without a connection hears nobody; that says nothing about the others. Periods are counted in own ticks,
    // so that a pod that was stopped for a minute doesn't wake up alone.
    if (!this.#options.bus.connected) return;
    for (const other of this.#others.values()) {
      other.silentTicks += 1;
      if (other.silentTicks > limits.presenceMissedBeatsMax) this.#drop(other, 'silent');
    }
  }

  /** The last word, when nobody is connected here any more. */
  stop(): void {
    const { presence, pod, incarnation } = this.#options;
    this.#isStopped = true;
    presence.own.onChange = () => {};
    while (presence.own.hasChanges) this.#sendDelta();
    this.#send({ type: 'bye', pod, incarnation });
    for (const end of this.#endings.splice(0)) end();
    for (const timer of [this.#deltaTimer, this.#beatTimer, this.#listTimer, ...this.#asking.values()]) {
      clearTimeout(timer);
    }
  }

  #receive({ subject, data }: BusMessage): void {
    const message = decodeGossip(data);
    if (message === undefined || subject !== coreSubjects.presence(encodeToken(message.pod))) {
      this.#options.observer.onRefused();
      return;
    }
    if (message.pod === this.#options.pod && message.incarnation === this.#options.incarnation) return;
    const known = this.#others.get(nameOf(message));
    if (message.type === 'bye') {
      if (known !== undefined) this.#drop(known, 'bye');
      return;
    }
    const other = known ?? this.#meet(message);
    if (other === undefined) return;
    other.silentTicks = 0;
    if (tell(other, message)) this.#askNow(other);
  }

  #meet({ pod, incarnation }: GossipMessage): OtherPod | undefined {
    if (this.#others.size >= podsMax) {
      this.#options.observer.onRefused();
      return undefined;
    }
    // A pod of the same name was most likely this one's former life: unless it is heard again, it is gone with the next tick.
    for (const other of this.#others.values()) {
      if (other.pod === pod) other.silentTicks = limits.presenceMissedBeatsMax;
    }
    const change = this.#options.presence.change.bind(this.#options.presence);
    const other = new OtherPod({ pod, incarnation, change, room: this.#room });
    this.#others.set(nameOf(other), other);
    // Whoever is new has not heard of this pod either.
    this.#beatTimer ??= setTimeout(() => this.#sendBeat(), deltaEveryMs).unref();
    return other;
  }

  #drop(other: OtherPod, reason: DropReason): void {
    const { presence, beatMs, observer } = this.#options;
    this.#others.delete(nameOf(other));
    clearTimeout(this.#asking.get(other));
    this.#asking.delete(other);
    // Silence has used up its part of the time in which someone may come back elsewhere.
    const silentMs = reason === 'silent' ? limits.presenceMissedBeatsMax * beatMs : 0;
    other.drop(Math.max(0, presence.graceMs - silentMs));
    observer.onDropped(reason);
  }

  #statusChanged(isConnected: boolean): void {
    if (!isConnected) return;
    for (const other of this.#others.values()) other.silentTicks = 0;
    this.#sendBeat();
  }

  /** Asks once a second until the list has come. */
  #askNow(other: OtherPod): void {
    if (this.#asking.has(other)) return;
    this.#ask(other);
    const again = () => {
      this.#asking.delete(other);
      if (other.needsList) this.#askNow(other);
    };
    this.#asking.set(other, setTimeout(again, this.#spacingMs).unref());
  }

  #ask({ pod, incarnation }: OtherPod): void {
    const { bus, observer } = this.#options;
    bus.publish(coreSubjects.presenceAsk(encodeToken(pod)), encodeGossip({ incarnation }));
    observer.onSent('ask');
  }

  #asked({ data }: BusMessage): void {
    const incarnation = decodeAsk(data);
    if (incarnation === undefined) this.#options.observer.onRefused();
    if (incarnation !== this.#options.incarnation || this.#listTimer !== undefined) return;
    // All others may ask at once: one answer serves them.
    const waitMs = Math.max(deltaEveryMs, this.#listedAt + this.#spacingMs - performance.now());
    this.#listTimer = setTimeout(() => this.#sendList(), waitMs).unref();
  }

  get #spacingMs(): number {
    return Math.min(1_000, this.#options.beatMs / 5);
  }

  #sendList(): void {
    this.#listTimer = undefined;
    this.#listedAt = performance.now();
    this.#sendDelta();
    const { pod, incarnation, presence } = this.#options;
    const { version, count, hash } = presence.own;
    const batches = seatBatches(presence.own.told());
    for (const [part, batch] of batches.entries()) {
      this.#send({ type: 'list', pod, incarnation, version, count, hash, part, parts: batches.length, ...batch });
    }
  }

  #deltaSoon(afterMs = deltaEveryMs): void {
    this.#deltaTimer ??= setTimeout(() => this.#sendDelta(), afterMs).unref();
  }

  #sendDelta(): void {
    clearTimeout(this.#deltaTimer);
    this.#deltaTimer = undefined;
    const { pod, incarnation, presence } = this.#options;
    const changes = presence.own.takeChanges(deltaSeatsMax);
    if (presence.own.hasChanges) this.#deltaSoon(nextDeltaMs);
    if (changes.length === 0) return;
    for (const batch of seatBatches(changes)) {
      presence.own.version += 1;
      this.#send({ type: 'delta', pod, incarnation, version: presence.own.version, ...batch });
    }
  }

  #sendBeat(): void {
    clearTimeout(this.#beatTimer);
    this.#beatTimer = undefined;
    this.#sendDelta();
    const { pod, incarnation, presence } = this.#options;
    const { version, count, hash } = presence.own;
    this.#send({ type: 'beat', pod, incarnation, version, count, hash });
  }

  #send(message: GossipMessage): void {
    const { bus, pod, observer } = this.#options;
    bus.publish(coreSubjects.presence(encodeToken(pod)), encodeGossip(message));
    observer.onSent(message.type);
  }
}

class Room implements SeatRoom {
  left = otherSeatsMax;

  take(): boolean {
    if (this.left === 0) return false;
    this.left -= 1;
    return true;
  }

  give(): void {
    this.left += 1;
  }
}

function nameOf({ pod, incarnation }: { pod: string; incarnation: string }): string {
  return `${pod}\n${incarnation}`;
}

/** @returns whether its list is needed. */
function tell(other: OtherPod, message: Exclude<GossipMessage, { type: 'bye' }>): boolean {
  switch (message.type) {
    case 'beat':
      return other.onBeat(message);
    case 'delta':
      return other.onDelta(message);
    case 'list':
      return other.onList(message);
  }
}
