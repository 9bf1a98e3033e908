import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  appendResponseSchema,
  encodeIdentity,
  internalHeaders,
  rangePageSchema,
  sessionSchema,
  syncResponseSchema,
  type AppendItem,
  type AppendOutcome,
  type ForwardedIdentity,
  type RangeItem,
  type Session,
  type SyncResponse,
} from '@boardwire/contracts';
import { openDatabase, provisionSchemas } from '@boardwire/database';
import { ServiceTokens, type RunningService } from '@boardwire/service-kit';
import { eventually, startTestInfrastructure, type TestInfrastructure } from '@boardwire/test-kit';
import { boot } from '../src/index.ts';
import { migrations } from '../src/migrations/migrations.ts';

export const secret = 'the secret that all services of a test share';
export const siteId = `bs1${'a'.repeat(52)}`;

/** Chat replicas over a Postgres and a nats-server of their own. Federation and audit are a few lines of HTTP here. */
export class ChatSite {
  readonly replicas: ChatReplica[] = [];
  readonly #neighbours: Neighbours;

  private constructor(
    readonly infrastructure: TestInfrastructure,
    readonly databaseUrl: string,
    neighbours: Neighbours,
  ) {
    this.#neighbours = neighbours;
  }

  static async start(): Promise<ChatSite> {
    const infrastructure = await startTestInfrastructure();
    const urls = await provisionSchemas(infrastructure.postgres.url, [
      { schema: 'chat', role: 'boardwire_chat', password: 'chat-password' },
    ]);
    return new ChatSite(infrastructure, urls['chat']!, await Neighbours.start());
  }

  get decisions(): DecisionRecord[] {
    return this.#neighbours.decisions;
  }

  set auditIsUp(isUp: boolean) {
    this.#neighbours.auditIsUp = isUp;
  }

  async replica(env: Record<string, string> = {}): Promise<ChatReplica> {
    const service = await boot({
      NODE_ENV: 'test',
      LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
      NATS_URL: this.infrastructure.env.NATS_URL,
      NATS_TOKEN: this.infrastructure.env.NATS_TOKEN,
      INTERNAL_SECRET: secret,
      DATABASE_URL: this.databaseUrl,
      FEDERATION_URL: this.#neighbours.url,
      AUDIT_URL: this.#neighbours.url,
      ADMIN_PASSWORD: 'the-admin-password',
      ...env,
    });
    const replica = new ChatReplica(service);
    this.replicas.push(replica);
    await eventually(async () => {
      if (!(await replica.isReady())) throw new Error('not ready');
    });
    return replica;
  }

  /** What an operator could do in the database itself. */
  async query<T extends object>(sql: string): Promise<T[]> {
    const database = await openDatabase({
      url: this.databaseUrl,
      schema: 'chat',
      migrations,
      poolMax: 2,
      logger: quiet,
    });
    const rows = await database.query<T>(sql);
    await database.close();
    return rows;
  }

  async stop(): Promise<void> {
    await Promise.all(this.replicas.map(({ service }) => service.stop()));
    await this.#neighbours.close();
    await this.infrastructure.stop();
  }
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export interface Answer<T = Record<string, unknown>> {
  status: number;
  body: T;
  headers: Headers;
}

export interface CallOptions {
  caller?: string;
  json?: unknown;
  identity?: Partial<ForwardedIdentity>;
  address?: string;
}

/** One chat process, as its neighbours meet it. */
export class ChatReplica {
  constructor(readonly service: RunningService) {}

  async call<T = Record<string, unknown>>(method: string, path: string, options: CallOptions = {}): Promise<Answer<T>> {
    const token = await new ServiceTokens(options.caller ?? 'gateway', secret).issue('chat');
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (options.json !== undefined) headers['content-type'] = 'application/json';
    if (options.address !== undefined) headers[internalHeaders.address] = options.address;
    if (options.identity !== undefined) headers[internalHeaders.identity] = encodeIdentity(identity(options.identity));
    const response = await fetch(`${this.service.internalUrl}${path}`, {
      method,
      headers,
      ...(options.json === undefined ? {} : { body: JSON.stringify(options.json) }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as T };
  }

  append(board: string, items: readonly AppendItem[], caller = 'gateway'): Promise<Answer> {
    return this.call('POST', `/internal/v1/boards/${board}/events`, { json: { items }, caller });
  }

  /** The outcomes of an append that must succeed. */
  async outcomes(board: string, items: readonly AppendItem[]): Promise<AppendOutcome[]> {
    const { status, body } = await this.append(board, items);
    if (status !== 200) throw new Error(`append answered ${status}: ${JSON.stringify(body)}`);
    return appendResponseSchema.parse(body).outcomes;
  }

  /** The whole log of a board, read in pages. */
  async log(board: string): Promise<RangeItem[]> {
    const items: RangeItem[] = [];
    for (;;) {
      const { body } = await this.call('GET', `/internal/v1/boards/${board}/range?from=${items.length + 1}`);
      const page = rangePageSchema.parse(body);
      items.push(...page.items);
      if (page.items.length === 0) return items;
    }
  }

  async sync(since?: string, wait = 0): Promise<SyncResponse> {
    const query = since === undefined ? '' : `&since=${since}`;
    return syncResponseSchema.parse((await this.call('GET', `/internal/v1/sync?wait=${wait}${query}`)).body);
  }

  async signIn(way: 'register' | 'login' | 'guest' | 'refresh', json: unknown): Promise<Session> {
    const { status, body } = await this.call('POST', `/internal/v1/auth/${way}`, { json });
    if (status >= 300) throw new Error(`${way} answered ${status}: ${JSON.stringify(body)}`);
    return sessionSchema.parse(body);
  }

  async isReady(): Promise<boolean> {
    return (await fetch(`${this.service.internalUrl}/readyz`)).ok;
  }

  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.service.internalUrl}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `) || one.startsWith(`${name}{`));
    return Number(line?.split(' ').at(-1));
  }
}

let counter = 0;

/** An event of somebody; with the same id it is the same event. */
export function event(overrides: Partial<AppendItem> = {}): AppendItem {
  counter += 1;
  return {
    id: `event-${counter}`,
    source: '/users/ana',
    type: 'chat.message.posted',
    subject: 'AxonChat.lobby',
    data: { text: `message ${counter}` },
    author: 'ana',
    authorname: 'Ana',
    ...overrides,
  };
}

function identity(partial: Partial<ForwardedIdentity>): ForwardedIdentity {
  return { userId: 'somebody', name: 'Somebody', roles: [], sessionId: 'none', boards: [], ...partial };
}

export interface DecisionRecord {
  number: number;
  action: string;
  outcome: string;
  actor: string;
}

/** Answers as federation's identity route and as audit's inbox would. */
class Neighbours {
  readonly decisions: DecisionRecord[] = [];
  auditIsUp = true;

  private constructor(private readonly server: Server) {}

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<Neighbours> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const neighbours = new Neighbours(server);
    server.on('request', (request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const answer = neighbours.answer(request.url ?? '', text);
        response.writeHead(answer === undefined ? 503 : 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answer ?? {}));
      });
    });
    return neighbours;
  }

  answer(url: string, text: string): unknown {
    if (url === '/internal/v1/identity') return { siteId, rootPublicKey: 'none' };
    if (!this.auditIsUp) return undefined;
    const { decisions } = JSON.parse(text) as { decisions: DecisionRecord[] };
    this.decisions.push(...decisions);
    return { received: decisions.at(-1)!.number };
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
