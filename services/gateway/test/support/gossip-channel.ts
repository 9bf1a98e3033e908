import type { BusMessage } from '@boardwire/messaging';
import { Gossip, type GossipKind } from '../../src/presence/gossip/gossip.ts';
import { Presence } from '../../src/presence/presence.ts';
import type { PresenceChange } from '../../src/presence/presence-view.ts';

export const beatMs = 5_000;
export const graceMs = 5_000;

interface Listener {
  pattern: RegExp;
  handler: (message: BusMessage) => void;
}

/** Core NATS as gateways see it on a bad day: in the test's clock, and losing, doubling and delaying as it is told. */
export class GossipChannel {
  readonly clients = new Set<ChannelClient>();
  isLossy = false;
  #fate: number;

  constructor(seed: number) {
    this.#fate = seed;
  }

  send(from: ChannelClient, subject: string, payload: Uint8Array | string): void {
    const data = new Uint8Array(Buffer.from(payload));
    for (const client of this.clients) {
      if (client === from) client.deliver(subject, data);
      else for (const delayMs of this.#fates()) setTimeout(() => client.deliver(subject, data), delayMs);
    }
  }

  /** One delay for each time it arrives. */
  #fates(): number[] {
    if (!this.isLossy) return [0];
    const fate = this.#below(10);
    if (fate < 3) return [];
    if (fate < 5) return [0, this.#below(3_000)];
    return [fate < 7 ? this.#below(3_000) : 0];
  }

  /** Numerical Recipes' generator; its high bits are the random ones. */
  #below(end: number): number {
    this.#fate = (Math.imul(this.#fate, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#fate / 2 ** 32) * end);
  }
}

/** The part of a bus that gossip uses. */
export class ChannelClient {
  readonly #channel: GossipChannel;
  readonly #listeners = new Set<Listener>();
  readonly #statusListeners = new Set<(connected: boolean) => void>();
  connected = true;

  constructor(channel: GossipChannel) {
    this.#channel = channel;
    channel.clients.add(this);
  }

  publish(subject: string, payload: Uint8Array | string = ''): void {
    if (this.connected) this.#channel.send(this, subject, payload);
  }

  subscribe(subject: string, handler: (message: BusMessage) => void): { unsubscribe(): void } {
    const pattern = new RegExp(`^${subject.replaceAll('.', '\\.').replaceAll('*', '[^.]+')}$`);
    const listener = { pattern, handler };
    this.#listeners.add(listener);
    return { unsubscribe: () => void this.#listeners.delete(listener) };
  }

  onStatus(listener: (connected: boolean) => void): () => void {
    this.#statusListeners.add(listener);
    return () => void this.#statusListeners.delete(listener);
  }

  setConnected(connected: boolean): void {
    this.connected = connected;
    for (const listener of this.#statusListeners) listener(connected);
  }

  deliver(subject: string, data: Uint8Array): void {
    if (!this.connected) return;
    for (const { pattern, handler } of this.#listeners) {
      if (pattern.test(subject)) handler({ subject, data, headers: { get: () => '' }, receivedAt: Date.now() });
    }
  }
}

let lives = 0;

/** A gateway as far as presence goes. */
export class ChannelPod {
  readonly name: string;
  readonly incarnation = `life-${(lives += 1)}`;
  readonly presence = new Presence({ graceMs });
  readonly gossip: Gossip;
  readonly client: ChannelClient;
  readonly changes: PresenceChange[] = [];
  readonly sent: GossipKind[] = [];
  readonly dropped: string[] = [];
  refused = 0;
  readonly #channel: GossipChannel;
  readonly #beats: ReturnType<typeof setInterval>;

  constructor(channel: GossipChannel, name: string) {
    this.name = name;
    this.#channel = channel;
    this.client = new ChannelClient(channel);
    this.gossip = new Gossip({
      pod: name,
      incarnation: this.incarnation,
      bus: this.client,
      presence: this.presence,
      beatMs,
      observer: {
        onSent: (kind) => this.sent.push(kind),
        onDropped: (reason) => this.dropped.push(reason),
        onRefused: () => (this.refused += 1),
      },
    });
    this.presence.watch('events', ['>'], (change) => this.changes.push(change));
    this.gossip.start();
    this.#beats = setInterval(() => this.gossip.beat(), beatMs);
  }

  get here(): string[] {
    return this.presence
      .list('events', ['>'], 10_000)
      .users.map(({ id }) => id)
      .toSorted();
  }

  /** What the watcher was told, as `+id` and `-id`. */
  get told(): string[] {
    return this.changes.map((change) =>
      change.event === 'list' ? 'list' : `${change.event === 'join' ? '+' : '-'}${change.user.id}`,
    );
  }

  enter(id: string, filters: readonly string[] = ['AxonChat']): () => void {
    return this.presence.enter('events', { user: { id, name: `name of ${id}` }, filters });
  }

  /** As `kill -9` does it. */
  kill(): void {
    this.#end();
  }

  stop(): void {
    this.gossip.stop();
    this.#end();
  }

  #end(): void {
    clearInterval(this.#beats);
    this.client.connected = false;
    this.#channel.clients.delete(this.client);
  }
}
