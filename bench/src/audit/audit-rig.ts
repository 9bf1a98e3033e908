import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditHealthSchema, encodeIdentity, internalHeaders, type AuditHealth } from '@boardwire/contracts';
import { provisionSchemas } from '@boardwire/database';
import { checkoutFolder, freePort, provideNats, providePostgres, ServerProcess } from '@boardwire/embedded';
import { connectBus } from '@boardwire/messaging';
import { nodeFlagsOf } from '@boardwire/site';
import { StandInChat } from '../rig/stand-in-chat.ts';
import { serviceToken } from '../site/bench-site.ts';

const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const reader = { userId: 'bench', name: 'bench', roles: ['auditor'], sessionId: 'bench', boards: [] };
const readyMs = 30_000;
const pollMs = 100;
const keptEvents = 400_000;

/** The shipped audit service between real servers, with a stand-in for chat that fills the mirror. */
export class AuditRig {
  readonly #run = randomBytes(6).toString('hex');
  readonly #secret: string;
  readonly #url: string;
  readonly #stops: (() => Promise<unknown>)[];

  private constructor(
    readonly chat: StandInChat,
    { secret, url, stops }: { secret: string; url: string; stops: (() => Promise<unknown>)[] },
  ) {
    this.#secret = secret;
    this.#url = url;
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

  static over(chat: StandInChat, parts: { secret: string; url: string; stops: (() => Promise<unknown>)[] }): AuditRig {
    return new AuditRig(chat, parts);
  }

  feed(board: string, number: number): void {
    this.chat.feed(board, `GameScore.m${number % 50}`, bodyOf(board, `e${number}-${this.#run}`, number));
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.#url}/metrics`)).text();
  }

  async health(): Promise<AuditHealth> {
    const response = await fetch(`${this.#url}/internal/v1/audit/health`, {
      headers: {
        authorization: `Bearer ${serviceToken(this.#secret, 'audit')}`,
        [internalHeaders.identity]: encodeIdentity(reader),
      },
    });
    if (!response.ok) throw new Error(`audit answered ${response.status}: ${await response.text()}`);
    return auditHealthSchema.parse(await response.json());
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
  return AuditRig.over(chat, { secret, url, stops });
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

const text = 'x'.repeat(120);

/** By hand: the feeder has the machine in common with what it feeds. */
const bodyOf = (board: string, id: string, number: number): string =>
  `{"specversion":"1.0","id":"${id}","source":"/users/bench","type":"bench.event","subject":"GameScore.m${number % 50}",` +
  `"time":"${new Date().toISOString()}","data":{"text":"${text}","score":${number}},"board":"${board}","author":"bench",` +
  `"authorname":"bench","origin":"bs1bench","class":"log"}`;
