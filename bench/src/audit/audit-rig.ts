import { randomBytes } from 'node:crypto';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditHealthSchema, encodeIdentity, internalHeaders, type AuditHealth } from '@boardwire/contracts';
import { provisionSchemas } from '@boardwire/database';
import { checkoutFolder, freePort, provideNats, providePostgres, ServerProcess } from '@boardwire/embedded';
import { connectBus } from '@boardwire/messaging';
import { nodeFlagsOf } from '@boardwire/site';
import { residentKb } from '../rig/process-usage.ts';
import { StandInChat } from '../rig/stand-in-chat.ts';
import { serviceToken } from '../site/bench-site.ts';

const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const reader = { userId: 'bench', name: 'bench', roles: ['auditor'], sessionId: 'bench', boards: [] };
const readyMs = 30_000;
const pollMs = 100;
const keptEvents = 400_000;

interface RigParts {
  secret: string;
  url: string;
  service: ServerProcess;
  stops: (() => Promise<unknown>)[];
}

/** The shipped audit service between real servers, with a stand-in for chat that fills the mirror. */
export class AuditRig {
  readonly #run = randomBytes(6).toString('hex');
  readonly #secret: string;
  readonly #url: string;
  readonly #service: ServerProcess;
  readonly #stops: (() => Promise<unknown>)[];

  private constructor(
    readonly chat: StandInChat,
    { secret, url, service, stops }: RigParts,
  ) {
    this.#secret = secret;
    this.#url = url;
    this.#service = service;
    this.#stops = stops;
  }

  static async start(folder: string, boards: readonly string[]): Promise<AuditRig> {
    const stops: (() => Promise<unknown>)[] = [];
    try {
      return await start(folder, boards, stops);
    } catch (error) {
      await stopAll(stops);
      throw error;
    }
  }

  static over(chat: StandInChat, parts: RigParts): AuditRig {
    return new AuditRig(chat, parts);
  }

  feed(board: string, number: number, author = 'bench'): void {
    this.chat.feed(
      board,
      `GameScore.m${number % 50}`,
      bodyOf({ board, id: `e${number}-${this.#run}`, number, author }),
    );
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.#url}/metrics`)).text();
  }

  async health(): Promise<AuditHealth> {
    return auditHealthSchema.parse(await this.read('health'));
  }

  /** What the service answers an auditor; `path` is relative to `/v1/audit`. */
  async read(path: string): Promise<unknown> {
    return JSON.parse(await text(await this.open(path))) as unknown;
  }

  /** The bytes of a file, as they come; not by `fetch`, whose streams cost as much as the file. */
  async open(path: string): Promise<IncomingMessage> {
    const headers = {
      authorization: `Bearer ${serviceToken(this.#secret, 'audit')}`,
      [internalHeaders.identity]: encodeIdentity(reader),
    };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${this.#url}/internal/v1/audit/${path}`, { headers }, resolve).once('error', reject);
    });
    if (response.statusCode !== 200) throw new Error(`audit answered ${response.statusCode}: ${await text(response)}`);
    return response;
  }

  /** Memory that the service holds now. */
  residentBytes(): number {
    return residentKb(this.#service.pid) * 1_024;
  }

  /** Waits until everything that the boards hold is audited and signed. */
  async settled(maxMs: number): Promise<AuditHealth> {
    const deadline = performance.now() + maxMs;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- polling
      const health = await this.health();
      const isAudited =
        health.boards.length > 0 && health.boards.every(({ board, audited }) => audited >= this.chat.board(board).head);
      if (isAudited && health.checkpoint?.size === health.size) return health;
      if (performance.now() > deadline) throw new Error(`audit stands at ${JSON.stringify(health.boards)}`);
      // oxlint-disable-next-line no-await-in-loop
      await sleep(pollMs);
    }
  }

  stop(): Promise<void> {
    return stopAll(this.#stops);
  }
}

async function start(folder: string, boards: readonly string[], stops: (() => Promise<unknown>)[]): Promise<AuditRig> {
  const env = { ...process.env, DATABASE_URL: undefined, NATS_URL: undefined };
  const postgres = await providePostgres({ dataDir: folder, env });
  stops.push(() => postgres.stop());
  const nats = await provideNats({ dataDir: folder, env });
  stops.push(() => nats.stop());
  const secret = randomBytes(32).toString('hex');
  const password = randomBytes(16).toString('hex');
  const runner = { role: 'boardwire_audit_append', password, mayBecome: ['boardwire_audit_retention'] };
  const urls = await provisionSchemas(postgres.url, [{ schema: 'audit', role: 'boardwire_audit', password, runner }]);
  const chat = await StandInChat.start(
    await connectBus({ url: nats.url, token: nats.token, name: 'bench', logger }),
    boards,
    keptEvents,
  );
  stops.push(() => chat.stop());
  const port = await freePort();
  const service = await ServerProcess.start({
    command: process.execPath,
    args: [...nodeFlagsOf('audit'), join(checkoutFolder, 'services/audit/dist/main.js')],
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      LOG_LEVEL: 'warn',
      INTERNAL_SECRET: secret,
      INTERNAL_PORT: String(port),
      NATS_URL: nats.url,
      NATS_TOKEN: nats.token,
      DATABASE_URL: urls['audit/runner'],
      DATABASE_OWNER_URL: urls['audit'],
      CHAT_URL: chat.url,
      DRAIN_MS: '0',
    },
    logFile: join(folder, 'logs', 'audit.log'),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 5_000,
  });
  stops.push(() => service.stop());
  const url = `http://127.0.0.1:${port}`;
  await ready(url);
  return AuditRig.over(chat, { secret, url, service, stops });
}

async function ready(url: string): Promise<void> {
  const deadline = performance.now() + readyMs;
  while (performance.now() < deadline) {
    // oxlint-disable-next-line no-await-in-loop -- polling
    const response = await fetch(`${url}/readyz`).catch(() => undefined);
    if (response?.status === 200) return;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(pollMs);
  }
  throw new Error(`audit is not ready at ${url}`);
}

async function stopAll(stops: (() => Promise<unknown>)[]): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- last come, first gone
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
}

const filler = 'x'.repeat(120);

/** By hand: the feeder has the machine in common with what it feeds. */
const bodyOf = ({ board, id, number, author }: { board: string; id: string; number: number; author: string }): string =>
  `{"specversion":"1.0","id":"${id}","source":"/users/${author}","type":"bench.event","subject":"GameScore.m${number % 50}",` +
  `"time":"${new Date().toISOString()}","data":{"text":"${filler}","score":${number}},"board":"${board}","author":"${author}",` +
  `"authorname":"${author}","origin":"bs1bench","class":"log"}`;
