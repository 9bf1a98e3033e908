import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  appendRequestSchema,
  boardSubject,
  boardsStream,
  busHeaders,
  decisionBatchSchema,
  historyQuerySchema,
  messageId,
  type AppendResponse,
  type RangeItem,
  type SyncResponse,
} from '@boardwire/contracts';
import type { AckedPublisher, Bus } from '@boardwire/messaging';
import { exportJWK, type JWK } from 'jose';
import { StandInBoard, storedBody } from './stand-in-log.ts';

const keptMaxDefault = 50_000;
const windowMax = 8_192;
const ackTimeoutMs = 10_000;
const keyId = 'bench';

/**
 * Stands where chat stands: the same internal routes and the same messages in the mirror, over a log in memory. So the
 * gateway under test is the shipped one, whole, and what feeds it costs next to nothing.
 */
export class StandInChat {
  readonly #bus: Bus;
  readonly #publisher: AckedPublisher;
  readonly #server: Server;
  readonly #boards = new Map<string, StandInBoard>();
  readonly #keys = generateKeyPairSync('ed25519');
  #publicKey: JWK = {};
  #version = 1;
  #failures = 0;

  private constructor(bus: Bus, boards: readonly string[], keptMax: number) {
    this.#bus = bus;
    this.#publisher = bus.publisher({ windowMax, ackTimeoutMs });
    for (const slug of boards) this.#boards.set(slug, new StandInBoard(slug, keptMax));
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(bus: Bus, boards: readonly string[], keptMax = keptMaxDefault): Promise<StandInChat> {
    await bus.streams.ensure(boardsStream);
    const chat = new StandInChat(bus, boards, keptMax);
    chat.#publicKey = { ...(await exportJWK(chat.#keys.publicKey)), kid: keyId, alg: 'EdDSA', use: 'sig' };
    await new Promise<void>((resolve) => chat.#server.listen(0, '127.0.0.1', resolve));
    return chat;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get signing(): { keyId: string; privateKey: KeyObject } {
    return { keyId, privateKey: this.#keys.privateKey };
  }

  /** Publications that the mirror did not take; every one is an event that only a hole filled from here brings back. */
  get failures(): number {
    return this.#failures;
  }

  board(slug: string): StandInBoard {
    const board = this.#boards.get(slug);
    if (board === undefined) throw new Error(`no board ${slug}`);
    return board;
  }

  /** Appends and mirrors as chat's relay does. Undefined, unless the window is full: then wait for it. */
  publish(slug: string, subject: string, body: string): Promise<void> | undefined {
    const board = this.board(slug);
    const item = board.append(subject, body);
    this.#version += 1;
    const data = Buffer.from(body);
    this.#publisher.send(boardSubject(slug, subject), data, headersOf(board, item), (failure) => {
      if (failure !== undefined) this.#failures += 1;
    });
    return this.#publisher.inFlight < windowMax - 1 ? undefined : this.#publisher.room();
  }

  /**
   * Appends and puts it on its way to the mirror, which is not asked for an acknowledgement: for a feed that shall cost
   * as little as it can beside what is measured. What the mirror did not take is a hole that followers fill from here.
   */
  feed(slug: string, subject: string, body: string): void {
    const board = this.board(slug);
    const item = board.append(subject, body);
    this.#version += 1;
    this.#bus.publish(boardSubject(slug, subject), body, headersOf(board, item));
  }

  /** Resolves when the mirror has acknowledged everything. */
  async mirrored(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- until it is empty
    while (this.#publisher.inFlight > 0) await sleep(2);
    if (this.#failures > 0) throw new Error(`the mirror refused ${this.#failures} events`);
  }

  async stop(): Promise<void> {
    this.#publisher.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#bus.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', this.url);
      const answer = await this.#route(url, await jsonOf(request));
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? { status: 404, code: 'not_found', title: 'There is nothing here' }));
    } catch (error) {
      response.writeHead(500, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ status: 500, code: 'internal', title: String(error) }));
    }
  }

  #route({ pathname, searchParams }: URL, body: unknown): unknown {
    const [, internal, version, first, slug = '', what] = pathname.split('/');
    if (internal !== 'internal' || version !== 'v1') return undefined;
    if (first === 'sync') return this.#sync(searchParams.get('since'), Number(searchParams.get('wait') ?? 0));
    if (first === 'jwks.json') return { keys: [this.#publicKey] };
    if (first === 'decisions') return { received: decisionBatchSchema.parse(body).decisions.at(-1)?.number ?? 0 };
    const board = first === 'boards' ? this.#boards.get(slug) : undefined;
    if (board === undefined) return undefined;
    switch (what) {
      case 'range':
        return board.range(Number(searchParams.get('from')), Number(searchParams.get('to')));
      case 'history':
        return board.history(historyQuerySchema.parse(body));
      case 'state':
        return { board: slug, epoch: board.epoch, head: board.head, items: [], more: false };
      case 'events':
        return this.#append(slug, body);
    }
    return undefined;
  }

  async #sync(since: string | null, waitMs: number): Promise<SyncResponse> {
    const deadline = performance.now() + Math.min(waitMs, 1_000);
    // oxlint-disable-next-line no-await-in-loop -- a long poll
    while (since === String(this.#version) && performance.now() < deadline) await sleep(25);
    const boards = [...this.#boards.values()].map(({ slug, epoch, head }, id) => {
      const numbers = { id: id + 1, epochOrdinal: 0, head, relayed: head };
      return { slug, epoch, ...numbers, timeZone: 'UTC', rules: [] };
    });
    return { version: String(this.#version), full: since === null, boards, removedBoards: [], revocations: [] };
  }

  #append(slug: string, body: unknown): AppendResponse {
    const { items } = appendRequestSchema.parse(body);
    const board = this.board(slug);
    const outcomes = items.map((item) => {
      void this.publish(slug, item.subject, storedBody(slug, item));
      const time = new Date().toISOString();
      return { outcome: 'created' as const, id: item.id, seq: board.head, epoch: board.epoch, time };
    });
    return { outcomes };
  }
}

function headersOf({ slug, epoch }: StandInBoard, item: RangeItem): Record<string, string> {
  return {
    [busHeaders.messageId]: messageId(slug, epoch, item.seq),
    [busHeaders.seq]: String(item.seq),
    [busHeaders.epoch]: epoch,
    [busHeaders.type]: item.type,
    [busHeaders.class]: item.class,
    [busHeaders.time]: String(item.committedMs),
    [busHeaders.datahash]: item.datahash,
  };
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return parts.length === 0 ? undefined : JSON.parse(Buffer.concat(parts).toString());
}
