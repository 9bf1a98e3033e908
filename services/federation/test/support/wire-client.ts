import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { federationPaths, streamFrameSchema, type FeedVector, type StreamFrame } from '@boardwire/contracts';
import { Inbox } from '@boardwire/test-kit';
import { Dialer } from '../../src/dialing/dialer.ts';
import { HopClient, type HopAnswer } from '../../src/hop/hop-client.ts';
import { verifyHello } from '../../src/hop/hello-signature.ts';
import { HopVerifier } from '../../src/hop/hop-verifier.ts';
import type { NonceStore } from '../../src/hop/nonce-store.ts';
import type { SiteIdentity } from '../../src/identity/site-identity.ts';
import type { PeerSite } from './peer-site.ts';

/** Nobody calls a client. */
const noNonces = { remember: () => Promise.resolve(true) } as unknown as NonceStore;

/** A peer's side of BF/1 towards the site under test. */
export class WireClient {
  readonly dialer = new Dialer({ allowedNetworks: ['127.0.0.1'], httpHosts: ['127.0.0.1', 'localhost'] });
  readonly hop: HopClient;
  readonly #streams: OpenedStream[] = [];

  constructor(
    readonly peer: PeerSite,
    readonly to: SiteIdentity,
    readonly url: string,
  ) {
    const keys = {
      hopKey: (site: string) => Promise.resolve(site === to.siteId ? to.keys.hop.key : undefined),
    };
    const verifier = new HopVerifier({ site: peer.id, keys, nonces: noNonces });
    this.hop = new HopClient({ dialer: this.dialer, signer: peer.signer, verifier });
  }

  get(path: string): Promise<HopAnswer> {
    return this.hop.call({ method: 'GET', url: this.url + path, destination: this.to.siteId, bytesMax: 10_000_000 });
  }

  post(path: string, json: unknown): Promise<HopAnswer> {
    const body = Buffer.from(JSON.stringify(json));
    const call = { method: 'POST' as const, url: this.url + path, destination: this.to.siteId, bytesMax: 10_000_000 };
    return this.hop.call({ ...call, body });
  }

  push(room: string, items: readonly unknown[], members?: readonly unknown[]): Promise<HopAnswer> {
    return this.post(federationPaths.events(room), members === undefined ? { items } : { items, members });
  }

  shake(secret: string, room = this.peer.room): Promise<HopAnswer> {
    return this.post(federationPaths.handshake, { room, secret, document: this.peer.document() });
  }

  async stream(room: string, have: FeedVector, feeds: readonly string[]): Promise<OpenedStream> {
    const stream = await this.hop.open({
      method: 'POST',
      url: this.url + federationPaths.stream(room),
      destination: this.to.siteId,
      body: Buffer.from(JSON.stringify({ have, feeds })),
      idleMs: 0,
    });
    const opened = new OpenedStream(stream.status, stream.body);
    this.#streams.push(opened);
    if (stream.status !== 200) throw new Error(`a stream was refused with ${stream.status}`);
    const hello = await opened.next('hello');
    const key = this.to.keys.hop.key;
    opened.hello = await verifyHello(hello, { from: this.to.siteId, to: this.peer.id, nonce: stream.nonce, key });
    return opened;
  }

  async close(): Promise<void> {
    for (const stream of this.#streams) stream.close();
    await this.dialer.close();
  }
}

type FrameOf<T extends StreamFrame['t']> = Extract<StreamFrame, { t: T }>;

/** Frames as they come. */
export class OpenedStream {
  hello: Record<string, unknown> = {};
  readonly frames: StreamFrame[] = [];
  isEnded = false;
  readonly #inbox = new Inbox<StreamFrame>();

  constructor(
    readonly status: number,
    readonly body: Readable,
  ) {
    body.on('close', () => (this.isEnded = true)).on('error', () => (this.isEnded = true));
    if (status !== 200) return;
    const lines = createInterface({ input: body });
    // The body has told of it.
    lines
      .on('error', () => undefined)
      .on('line', (line) => {
        const frame = streamFrameSchema.parse(JSON.parse(line));
        this.frames.push(frame);
        this.#inbox.put(frame);
      });
  }

  named<T extends StreamFrame['t']>(type: T): FrameOf<T>[] {
    return this.frames.filter((frame): frame is FrameOf<T> => frame.t === type);
  }

  /** The next frame of this kind that nobody has waited for. */
  async next<T extends StreamFrame['t']>(type: T): Promise<FrameOf<T>> {
    return (await this.#inbox.until((frame) => frame.t === type)) as FrameOf<T>;
  }

  close(): void {
    this.body.destroy();
  }
}
