import { Alarm } from './alarm.ts';
import { LinkError } from './link-error.ts';
import type { LinkParts } from './link-parts.ts';
import type { PeerClient } from './peer-client.ts';
import type { RoomLinks } from './room-links.ts';
import { RoomPush } from './room-push.ts';
import { RoomStream, type StreamEnd } from './room-stream.ts';

export interface PeerSessionOptions {
  client: PeerClient;
  parts: LinkParts;
  onHeard: (what: { clockOffsetMs?: number }) => void;
}

/** A room that is shared with the peer. */
export interface SharedRoom {
  links: RoomLinks;
  mayRelay: boolean;
}

const refusedMs = { min: 500, max: 60_000 };
const byeMs = 1_000;

/**
 * All that goes on with a peer that was reached: of each room a stream and pushes. A room that it refuses waits by itself;
 * the first connection that fails ends all of it, for they all go to the same place.
 */
export class PeerSession {
  readonly #options: PeerSessionOptions;
  readonly #ending = new AbortController();
  readonly #rooms = new Map<string, { stop: AbortController; done: Promise<void> }>();
  readonly #alarm = new Alarm();
  readonly #streaming = new Set<string>();
  #failure: unknown;
  #refusal: string | undefined;

  constructor(options: PeerSessionOptions) {
    this.#options = options;
  }

  get isStreaming(): boolean {
    return this.#streaming.size > 0;
  }

  /** What the peer refused last, while it has not let us in since. */
  get refusal(): string | undefined {
    return this.isStreaming ? undefined : this.#refusal;
  }

  /** Until the signal aborts, or @throws what ended it. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = () => this.#ending.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      await new Promise<void>((resolve) => {
        if (this.#ending.signal.aborted) resolve();
        this.#ending.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.all([...this.#rooms.values()].map(({ done }) => done));
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    if (this.#failure !== undefined && !signal.aborted) throw this.#failure;
  }

  /** The rooms that are shared now. */
  share(rooms: ReadonlyMap<string, SharedRoom>): void {
    if (this.#ending.signal.aborted) return;
    for (const [room, { stop }] of this.#rooms) if (!rooms.has(room)) stop.abort();
    for (const [room, shared] of rooms) if (!this.#rooms.has(room)) this.#start(room, shared);
  }

  /** The peer has shown that it is there: whoever waits goes on at once. */
  poke(): void {
    this.#alarm.ring();
  }

  #start(room: string, shared: SharedRoom): void {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#ending.signal]);
    const push = new RoomPush({ links: shared.links, client: this.#options.client, parts: this.#options.parts });
    const bodies = [
      this.#again(() => this.#stream(room, shared, signal), signal),
      this.#again(() => push.run(signal), signal),
    ];
    const done = Promise.all(bodies.map((body) => body.catch((error: unknown) => this.#end(error))));
    this.#rooms.set(room, { stop, done: done.then(() => void this.#rooms.delete(room)) });
  }

  #end(error: unknown): void {
    this.#failure ??= error;
    this.#ending.abort();
  }

  /** Again and again, until the signal aborts; what the peer refuses is tried again later. */
  async #again(body: () => Promise<void>, signal: AbortSignal): Promise<void> {
    for (let refusals = 0; !signal.aborted;) {
      const startedMs = Date.now();
      try {
        // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
        await body();
        refusals = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (!isRefusal(error)) throw error;
        refusals = Date.now() - startedMs > refusedMs.max ? 1 : refusals + 1;
        // oxlint-disable-next-line no-await-in-loop
        await this.#afterRefusal(error, refusals, signal);
      }
    }
  }

  async #afterRefusal(error: LinkError, refusals: number, signal: AbortSignal): Promise<void> {
    this.#refusal = error.fault;
    const ceilingMs = Math.min(refusedMs.max, refusedMs.min * 2 ** Math.min(refusals, 16));
    const waitMs = error.retryAfterMs ?? ceilingMs * (0.5 + Math.random() / 2);
    this.#options.parts.logger.info({
      event: 'link.refused',
      peer: this.#options.client.site,
      fault: error.fault,
      waitMs,
    });
    await this.#alarm.wait(waitMs, signal);
  }

  async #stream(room: string, { links, mayRelay }: SharedRoom, signal: AbortSignal): Promise<void> {
    const { client, parts, onHeard } = this.#options;
    const { members } = parts;
    const heard = (what: { clockOffsetMs?: number }) => {
      this.#streaming.add(room);
      onHeard(what);
    };
    links.joined({ client, mayRelay });
    let end: StreamEnd;
    try {
      do {
        // oxlint-disable-next-line no-await-in-loop -- one stream after the other
        end = await new RoomStream({ links, client, members, onHeard: heard }).run(signal);
      } while (end.why === 'selection');
    } finally {
      links.left(client.site);
      this.#streaming.delete(room);
    }
    parts.logger.info({ event: 'link.bye', room, peer: client.site, code: end.code, retryMs: end.retryMs });
    await this.#alarm.wait(end.retryMs ?? byeMs * (0.5 + Math.random() / 2), signal);
  }
}

/** Said by the peer itself; anything else is a connection that is none any more. */
function isRefusal(error: unknown): error is LinkError {
  return error instanceof LinkError && !['silent', 'ended', 'bad_answer'].includes(error.fault);
}
