import {
  feedPageSchema,
  handshakeRequestSchema,
  pushRequestSchema,
  streamRequestSchema,
  type FeedVector,
  type HandshakeAnswer,
  type HandshakeRequest,
  type MemberBundle,
  type PushOutcome,
  type PushRequest,
  type StreamFrame,
  type StreamRequest,
  type WireItem,
} from '@boardwire/contracts';
import type { Database } from '@boardwire/database';
import { generateSigningKey, importVerifyingKey } from '@boardwire/signing';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { signHello } from '../../src/hop/hello-signature.ts';
import { HopSigner } from '../../src/hop/hop-signer.ts';
import { HopVerifier } from '../../src/hop/hop-verifier.ts';
import { NonceStore } from '../../src/hop/nonce-store.ts';
import { signDocument } from '../../src/identity/site-document.ts';
import type { SiteIdentity } from '../../src/identity/site-identity.ts';
import { keyIdOf } from '../../src/identity/site-id.ts';
import type { SiteKeys } from '../../src/identity/site-keys.ts';
import { RemoteSite, type Written } from '../remote-site.ts';
import { PeerStandIn } from './peer-stand-in.ts';

/** A stream that this peer has open at a test's site. */
export class OpenStream {
  constructor(
    readonly request: StreamRequest,
    private readonly response: ServerResponse,
  ) {}

  get isOpen(): boolean {
    return !this.response.destroyed && !this.response.writableEnded;
  }

  send(...frames: StreamFrame[]): void {
    this.response.write(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(''));
  }

  items(...items: readonly Written[]): void {
    this.send(...items.map(({ wire }): StreamFrame => ({ t: 'ev', item: wire })));
  }

  /** Without a word. */
  cut(): void {
    this.response.destroy();
  }
}

/**
 * Another site over real HTTP and the real hop profile, honest until a test says otherwise: it has feeds in memory, and
 * answers with what stands there.
 */
export class FedPeer {
  readonly site: RemoteSite;
  hop = generateSigningKey();
  ver = 1;
  /** By site and epoch, in order of oseq. */
  readonly feeds = new Map<string, Written[]>();
  readonly streams: OpenStream[] = [];
  readonly pushes: PushRequest[] = [];
  /** How many requests of each kind came. */
  readonly asked: string[] = [];
  /** What it has of the test site's own feed. */
  taken: Written['wire'][] = [];
  heartbeatMs = 15_000;
  /** Before anything is answered; true: it has answered. */
  intercept: (kind: string, request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean> = () =>
    false;
  onStream: (stream: OpenStream) => void = (stream) => this.sendAfter(stream);
  /** What it claims to have; honest by default. */
  vectorOf: () => FeedVector = () => this.honestVector();
  pageOf: (site: string, epoch: string, from: number) => WireItem[] = (site, epoch, from) =>
    (this.feeds.get(`${site} ${epoch}`) ?? []).filter(({ header }) => header.oseq >= from).map(({ wire }) => wire);
  bundles: MemberBundle[] = [];
  onHandshake: (request: HandshakeRequest) => HandshakeAnswer = () => ({ state: 'pending', document: this.document });
  onPush: (push: PushRequest) => PushOutcome[] = (push) => push.items.map(() => ({ outcome: 'accepted' }));

  private constructor(
    readonly room: string,
    readonly door: PeerStandIn,
    private readonly verifier: () => HopVerifier,
  ) {
    this.site = new RemoteSite(room);
  }

  static async start(room: string, { database, identity }: { database: Database; identity: SiteIdentity }) {
    const door = await PeerStandIn.start();
    const ours = importVerifyingKey(identity.keys.hop.key.publicKey);
    const keys = { hopKey: async (site: string) => (site === identity.siteId ? ours : undefined) };
    const nonces = new NonceStore(database);
    const peer: FedPeer = new FedPeer(room, door, () => new HopVerifier({ site: peer.id, keys, nonces }));
    door.answer = (request, response) =>
      void peer.#answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(String(error));
      });
    return peer;
  }

  get id(): string {
    return this.site.id;
  }

  get url(): string {
    return `http://127.0.0.1:${this.door.port}`;
  }

  get document() {
    const { root, event } = this.site;
    const key = (use: 'root' | 'event' | 'hop' | 'checkpoint', own: typeof root) => ({
      kid: keyIdOf(use, own.publicKey),
      use,
      alg: 'ed25519' as const,
      public: own.publicKey.toString('base64url'),
    });
    const keys = [key('root', root), key('hop', this.hop), key('event', event)];
    const content = { site: this.id, name: 'Peer', protocols: ['boardwire-fed/1'], endpoints: [this.url], keys };
    return signDocument({ ...content, ver: this.ver, issued: '2026-01-01T00:00:00.000Z' }, {
      root: { keyId: keyIdOf('root', root.publicKey), use: 'root', key: root },
    } as SiteKeys);
  }

  get bundle(): MemberBundle {
    return { document: this.document, epochs: [this.site.record()], membership: [] };
  }

  /** The peer's own feed becomes so long. */
  write(count: number, more: Parameters<RemoteSite['write']>[2] = {}): Written[] {
    const feed = this.feed(this.site);
    const added: Written[] = [];
    for (let at = 0; at < count; at += 1) {
      const next = this.site.write(feed.at(-1), `${this.id.slice(3, 9)}-${feed.length + 1}`, more);
      feed.push(next);
      added.push(next);
    }
    return added;
  }

  feed(site: RemoteSite): Written[] {
    const key = `${site.id} ${site.epoch}`;
    const feed = this.feeds.get(key) ?? [];
    this.feeds.set(key, feed);
    return feed;
  }

  honestVector(): FeedVector {
    const entries = [...this.feeds].flatMap(([key, items]) => {
      const [site, epoch] = key.split(' ') as [string, string];
      const last = items.at(-1);
      return last === undefined ? [] : [[site, { epoch, n: last.header.oseq, hash: last.hash }] as const];
    });
    return Object.fromEntries(entries);
  }

  heartbeat(stream: OpenStream, vector: FeedVector = this.vectorOf()): void {
    stream.send({ t: 'hb', at: new Date().toISOString(), vector, head: null });
  }

  /** What the stream asked for and hasn't got. */
  sendAfter(stream: OpenStream): void {
    const { have, feeds } = stream.request;
    for (const [key, items] of this.feeds) {
      const [site, epoch] = key.split(' ') as [string, string];
      if (!feeds.includes(site)) continue;
      const n = have[site]?.epoch === epoch ? have[site].n : 0;
      stream.items(...items.filter(({ header }) => header.oseq > n));
    }
  }

  get stream(): OpenStream | undefined {
    return this.streams.findLast(({ isOpen }) => isOpen);
  }

  signer(): HopSigner {
    return new HopSigner({ site: this.id, keyId: keyIdOf('hop', this.hop.publicKey), key: this.hop });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path, query] = (request.url ?? '').split('?') as [string, string | undefined];
    const kind =
      path === '/.well-known/boardwire' ? 'document' : path.includes('/feeds/') ? 'page' : path.split('/').at(-1)!;
    this.asked.push(kind);
    if (await this.intercept(kind, request, response)) return;
    if (kind === 'document') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(this.document));
      return;
    }
    const body = await buffer(request);
    const headers = request.headersDistinct;
    const hop = await this.verifier().verify({ method: request.method!, target: request.url!, headers, body });
    const json: unknown = body.length === 0 ? undefined : JSON.parse(body.toString());
    if (kind === 'stream')
      return this.#stream(streamRequestSchema.parse(json), { response, to: hop.site, nonce: hop.nonce });
    const answer = this.#answerTo(kind, path, { json, query: new URLSearchParams(query) });
    this.send(response, hop.signature, 200, answer);
  }

  send(response: ServerResponse, requestSignature: string, status: number, answer: unknown, more: object = {}): void {
    const sent = Buffer.from(JSON.stringify(answer));
    const signed = this.signer().signAnswer({ status, body: sent, contentType: 'application/json', requestSignature });
    response.writeHead(status, { ...signed, ...more }).end(sent);
  }

  #answerTo(kind: string, path: string, { json, query }: { json: unknown; query: URLSearchParams }): unknown {
    if (kind === 'head') return { vector: this.vectorOf(), head: null, members: this.bundles };
    if (kind === 'page') {
      const [site, epoch] = path.split('/feeds/')[1]!.split('/') as [string, string];
      const items = this.pageOf(site, epoch, Number(query.get('from'))).slice(0, Number(query.get('limit')));
      return feedPageSchema.parse({ items, n: this.vectorOf()[site]?.n ?? 0 });
    }
    if (kind === 'events') {
      const push = pushRequestSchema.parse(json);
      this.pushes.push(push);
      const outcomes = this.onPush(push);
      this.taken.push(...push.items.filter((_item, at) => outcomes[at]!.outcome === 'accepted'));
      return { outcomes, vector: this.vectorOf() };
    }
    if (kind === 'handshake') return this.onHandshake(handshakeRequestSchema.parse(json));
    throw new Error(`nothing at ${path}`);
  }

  #stream(
    request: StreamRequest,
    { response, to, nonce }: { response: ServerResponse; to: string; nonce: string },
  ): void {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const stream = new OpenStream(request, response);
    const hello = { room: this.room, vector: this.vectorOf(), heartbeatMs: this.heartbeatMs };
    stream.send({ t: 'hello', ...signHello(this.signer(), hello, { to, nonce }) });
    for (const member of this.bundles) stream.send({ t: 'member', member });
    this.streams.push(stream);
    this.onStream(stream);
  }
}
