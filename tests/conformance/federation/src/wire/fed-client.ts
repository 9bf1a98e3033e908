import {
  federationErrorTable,
  federationProblemSchema,
  type FederationErrorCode,
  type FederationProblem,
} from '@boardwire/contracts';
import { Broken, expectEqual, expectThat } from '../rule.ts';
import type { ForeignSite } from '../sites/foreign-site.ts';
import type { Target } from '../target.ts';
import { answerOf, begin, exchange, prefixOf, received, type Received, type Sent } from './exchange.ts';
import { FrameStream } from './frame-stream.ts';
import { answerFault, newNonce, signedHeaders, type Signing } from './hop-signature.ts';

interface Parser<T> {
  safeParse(
    value: unknown,
  ): { success: true; data: T } | { success: false; error: { issues: { path: PropertyKey[]; message: string }[] } };
}

/** What the kit has seen of all answers together. */
export interface Seen {
  /** Answers to proven requests that didn't prove themselves. */
  readonly unproven: string[];
  readonly codes: Set<FederationErrorCode>;
}

/** How a request differs from an honest one. */
export interface Changes extends Partial<Signing> {
  method?: 'GET' | 'POST';
  body?: Uint8Array;
  /** What is sent in place of what was signed. */
  sent?: {
    path?: string;
    method?: 'GET' | 'POST';
    body?: Uint8Array;
    headers?: Record<string, string | string[] | undefined>;
  };
}

/** One of the kit's sites towards the site under test: honest by itself, and whatever a rule makes of it. */
export class FedClient {
  constructor(
    readonly target: Target,
    readonly site: ForeignSite,
    readonly seen: Seen,
  ) {}

  get(path: string): Promise<Answer> {
    return this.#proven({ method: 'GET', path, headers: this.#signed('GET', path) });
  }

  post(path: string, json: unknown): Promise<Answer> {
    const body = Buffer.from(JSON.stringify(json));
    return this.#proven({ method: 'POST', path, headers: this.#signed('POST', path, { body }), body });
  }

  /** A request that may be wrong in any way. */
  async send(path: string, changes: Changes = {}): Promise<Answer> {
    return new Answer(await exchange(this.target.url, this.request(path, changes)), this.seen);
  }

  request(path: string, changes: Changes = {}): Sent {
    const {
      method = 'POST',
      body = method === 'POST' ? Buffer.from('{"items":[]}') : undefined,
      sent = {},
      ...signing
    } = changes;
    const all: Record<string, string | string[] | undefined> = {
      ...this.#signed(method, path, { ...signing, ...(body === undefined ? {} : { body }) }),
      ...sent.headers,
    };
    const headers = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const bytes = sent.body ?? body;
    return {
      method: sent.method ?? method,
      path: sent.path ?? path,
      headers: headers as Sent['headers'],
      ...(bytes === undefined ? {} : { body: bytes }),
    };
  }

  async stream(path: string, json: unknown): Promise<FrameStream> {
    const body = Buffer.from(JSON.stringify(json));
    const nonce = newNonce();
    const sent: Sent = { method: 'POST', path, headers: this.#signed('POST', path, { body, nonce }), body };
    const outgoing = begin(this.target.url, sent);
    outgoing.end(body);
    const incoming = await answerOf(outgoing);
    if (incoming.statusCode === 200) return new FrameStream(incoming, nonce);
    const { body: told } = await received(incoming);
    throw new Broken(`a stream was refused with ${incoming.statusCode}: ${told.toString().slice(0, 200)}`);
  }

  async #proven(sent: Sent): Promise<Answer> {
    const answer = await exchange(this.target.url, sent);
    const { site, hopKeys: keys } = this.target;
    const requestSignature = String(sent.headers['signature']);
    const fault = answerFault(answer, { site, keys, requestSignature });
    const route = sent.path.replace(/br1[a-z2-7]{52}|bs1[a-z2-7]{52}/g, (id) => `${id.slice(0, 7)}…`);
    if (fault !== undefined) this.seen.unproven.push(`${sent.method} ${route} (${answer.status}): ${fault}`);
    return new Answer(answer, this.seen);
  }

  #signed(method: string, path: string, how: Partial<Signing> & { body?: Uint8Array } = {}): Record<string, string> {
    const { site, hop } = { site: this.site.id, hop: this.site.hop };
    const own = { site, kid: this.site.keyId('hop'), key: hop, destination: this.target.site };
    const { body, ...more } = how;
    const target = prefixOf(this.target.url) + path;
    return signedHeaders({ method, target, ...(body === undefined ? {} : { body }) }, { ...own, ...more });
  }
}

/** What came back. */
export class Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string[]>;
  readonly #body: Buffer;
  readonly #seen: Seen;

  constructor({ status, headers, body }: Received, seen: Seen) {
    this.status = status;
    this.headers = headers;
    this.#body = body;
    this.#seen = seen;
  }

  get json(): unknown {
    try {
      return JSON.parse(this.#body.toString());
    } catch {
      throw new Broken(`an answer with ${this.status} is not JSON: ${this.#body.toString().slice(0, 120)}`);
    }
  }

  /** A 200 as the contract has it. @throws Broken */
  as<T>(schema: Parser<T>): T {
    if (this.status !== 200) throw new Broken(`answered with ${this.status}: ${this.#body.toString().slice(0, 200)}`);
    const parsed = schema.safeParse(this.json);
    if (parsed.success) return parsed.data;
    const { path, message } = parsed.error.issues[0]!;
    throw new Broken(`the answer is none of the contract: ${path.map(String).join('.') || 'body'}: ${message}`);
  }

  /** @throws Broken unless it is this refusal, with its status, its shape and its headers */
  refuses(code: FederationErrorCode, what: string): FederationProblem {
    const { status } = federationErrorTable[code];
    const told = federationProblemSchema.safeParse(this.status === 204 ? undefined : this.json);
    if (!told.success) throw new Broken(`${what}: ${this.status} is no refusal ({code, status, detail?})`);
    expectEqual([told.data.code, this.status, told.data.status], [code, status, status], what);
    expectThat(String(this.headers['content-type']).startsWith('application/json'), `${what}: a refusal is JSON`);
    const isLater = status === 429 || status === 503;
    expectThat(!isLater || Number(this.headers['retry-after']?.[0]) >= 1, `${what}: ${status} without Retry-After`);
    this.#seen.codes.add(code);
    return told.data;
  }
}
