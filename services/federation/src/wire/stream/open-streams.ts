import type { ServerResponse } from 'node:http';
import {
  federationLimits,
  ndjsonMediaType,
  streamRequestSchema,
  type FeedVector,
  type StreamRequest,
} from '@boardwire/contracts';
import type { Contacts } from '../../contacts/contacts.ts';
import type { HashesOf } from '../header-hashes.ts';
import { signHello } from '../../hop/hello-signature.ts';
import type { HopSigner } from '../../hop/hop-signer.ts';
import type { FederationMetrics } from '../../metrics.ts';
import { mayExchange } from '../../peers/peer-state.ts';
import { fedErrorFrom } from '../fed-error.ts';
import type { PeerBook } from '../peer-book.ts';
import { parseBody, type WireCall } from '../wire-route.ts';
import { FeedCursor } from './feed-cursor.ts';
import { FrameWriter } from './frame-writer.ts';
import { PeerStream, type ByeCode } from './peer-stream.ts';
import { RoomPulse, type RoomPulseParts } from './room-pulse.ts';
import { SharedPages } from './shared-pages.ts';

export interface OpenStreamsOptions extends RoomPulseParts {
  signer: HopSigner;
  contacts: Contacts;
  book: PeerBook;
  hashes: HashesOf;
  metrics: FederationMetrics;
  heartbeatMs: number;
}

/** What the streams of one room share, while there are any. */
interface RoomStreams {
  pulse: RoomPulse;
  pages: SharedPages;
  streams: Set<PeerStream>;
  /** Requests that are about to open one, and those that have. */
  users: number;
}

/** For so long a peer may take nothing of what waits for it. */
const stillMsMax = 30_000;
/** A peer that is sent away comes back within this, at a moment of its own. */
const returnWithinMs = 1_000;

/** Every stream that peers have open here. */
export class OpenStreams {
  readonly #options: OpenStreamsOptions;
  readonly #rooms = new Map<string, RoomStreams>();
  #isDraining = false;

  constructor(options: OpenStreamsOptions) {
    this.#options = options;
    options.book.onRefreshed(() => this.#check());
    options.contacts.onDismissed((site, room) => this.#dismiss(site, room));
    options.metrics.watchStreams({
      open: () => this.#all().length,
      bufferedBytes: () => this.#all().reduce((sum, { buffered }) => sum + buffered, 0),
    });
  }

  /** Answers a request with a stream; resolves when that has ended. @throws FedError before anything was sent */
  async open({ peer, hop, room, grant, body }: WireCall, response: ServerResponse): Promise<void> {
    const { contacts, signer, heartbeatMs } = this.#options;
    const { have, feeds } = parseBody(streamRequestSchema, body) satisfies StreamRequest;
    const shared = this.#enter(room);
    try {
      await shared.pulse.refresh();
      const cursors = await this.#cursors({ peer: peer.site, room, have, feeds });
      const { pulse, pages } = shared;
      const writer = new FrameWriter(response, { bytesMax: federationLimits.outboundBufferBytesMax, stillMsMax });
      const onSent = (items: number) => this.#options.metrics.items('out', 'streamed', items);
      const named = { site: peer.site, room, grant, cursors, pulse, pages, writer, heartbeatMs, onSent };
      const stream = new PeerStream(named);
      this.#makeRoomFor(peer.site, shared);
      shared.streams.add(stream);
      response.once('close', () => stream.gone());
      response.writeHead(200, {
        'content-type': ndjsonMediaType,
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      const hello = signHello(signer, { room, vector: pulse.vector, heartbeatMs }, { to: peer.site, nonce: hop.nonce });
      writer.write(`${JSON.stringify({ t: 'hello', ...hello })}\n`);
      contacts.learnt(peer.site, room, have);
      contacts.streamOpened(peer.site, room);
      await this.#run(stream, shared).finally(() => contacts.streamClosed(peer.site, room));
      writer.end('');
    } finally {
      this.#leave(room, shared);
    }
  }

  /** No stream outlives this; each peer is told to come back. */
  drain(): void {
    this.#isDraining = true;
    for (const stream of this.#all()) stream.end('draining', Math.round(Math.random() * returnWithinMs));
  }

  async #run(stream: PeerStream, { streams }: RoomStreams): Promise<void> {
    try {
      if (this.#isDraining) stream.end('draining', returnWithinMs);
      await stream.run();
    } catch (error) {
      stream.end(fedErrorFrom(error)?.code ?? 'unavailable', returnWithinMs);
      if (fedErrorFrom(error) === undefined) this.#options.logger.error({ event: 'wire.stream_failed', err: error });
    } finally {
      streams.delete(stream);
    }
  }

  /** Of which feeds, and from where on: never of the peer's own, which nobody but itself can have more of. */
  async #cursors(asked: {
    peer: string;
    room: string;
    have: FeedVector;
    feeds: readonly string[];
  }): Promise<FeedCursor[]> {
    const { peer, room, have, feeds } = asked;
    const sites = [...new Set(feeds)].filter((site) => site !== peer);
    return Promise.all(
      sites.map(async (site) => {
        const position = have[site];
        if (position?.hash === undefined || position.n === 0) return new FeedCursor(site, position);
        const [hash] = await this.#options.hashes({
          room,
          site,
          epoch: position.epoch,
          from: position.n,
          to: position.n,
        });
        // It has another header there: it is sent this site's, and finds the fork itself.
        const isFork = hash !== undefined && hash !== position.hash;
        return new FeedCursor(site, isFork ? { ...position, n: position.n - 1 } : position);
      }),
    );
  }

  /** The oldest gives way: a connection whose other end has vanished must not keep the peer from coming back. */
  #makeRoomFor(site: string, { streams }: RoomStreams): void {
    const own = [...streams].filter((stream) => stream.site === site);
    for (const stream of own.slice(0, Math.max(0, own.length - federationLimits.streamsPerPeerMax + 1))) {
      stream.end('superseded');
      streams.delete(stream);
    }
  }

  /** A peer that is there after all comes back at once. */
  #dismiss(site: string, room: string): void {
    for (const stream of this.#rooms.get(room)?.streams ?? []) {
      if (stream.site !== site) continue;
      this.#options.logger.info({ event: 'wire.stream_deaf', peer: site, room });
      stream.end('slow_consumer', Math.round(Math.random() * returnWithinMs));
    }
  }

  /** Decisions about peers, and removals from rooms, end what is open. */
  #check(): void {
    for (const stream of this.#all()) {
      const code = this.#endOf(stream);
      if (code !== undefined) stream.end(code);
    }
  }

  #endOf({ site, room }: PeerStream): ByeCode | undefined {
    const peer = this.#options.book.of(site);
    const grant = peer?.rooms.get(room);
    if (peer === undefined || !mayExchange(peer.state) || grant === undefined || grant.isRemoved)
      return 'peer_suspended';
    return grant.scopes.includes('read') ? undefined : 'direction_denied';
  }

  #all(): PeerStream[] {
    return [...this.#rooms.values()].flatMap(({ streams }) => [...streams]);
  }

  #enter(room: string): RoomStreams {
    const shared = this.#rooms.get(room) ?? this.#made(room);
    shared.users += 1;
    this.#rooms.set(room, shared);
    return shared;
  }

  #made(room: string): RoomStreams {
    const pulse = new RoomPulse(room, this.#options);
    return { pulse, pages: new SharedPages(this.#options.reader, room), streams: new Set(), users: 0 };
  }

  #leave(room: string, shared: RoomStreams): void {
    shared.users -= 1;
    if (shared.users > 0) return;
    shared.pulse.close();
    this.#rooms.delete(room);
  }
}
