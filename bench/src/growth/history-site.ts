import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { historyPageSchema, type HistoryQuery } from '@boardwire/contracts';
import { openDatabase, provisionSchemas, type Database } from '@boardwire/database';
import { checkoutFolder, freePort, provideNats, providePostgres, ServerProcess } from '@boardwire/embedded';
import { Pool } from 'undici';
import type { Say, Stage } from '../rig/stage.ts';
import { serviceToken } from '../site/bench-site.ts';
import { fillLog } from './fill-log.ts';

const board = 'forum';
const readyMs = 30_000;
const statementTimeoutMs = 600_000;
const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The real chat over a Postgres whose log is filled by SQL; nobody follows it. */
export class HistorySite {
  readonly #secret = randomBytes(32).toString('hex');
  readonly #folder: string;
  readonly #say: Say;
  readonly #stops: (() => Promise<unknown>)[] = [];
  #env: NodeJS.ProcessEnv = {};
  #chat: ServerProcess | undefined;
  #database: Database | undefined;
  #pool: Pool | undefined;

  private constructor(folder: string, say: Say) {
    this.#folder = folder;
    this.#say = say;
  }

  static async start({ folder, say }: Pick<Stage, 'folder' | 'say'>): Promise<HistorySite> {
    const site = new HistorySite(folder, say);
    try {
      await site.#startServers();
      return site;
    } catch (error) {
      await site.stop();
      throw error;
    }
  }

  /** Brings the log to a size. Chat is away meanwhile: it learns its subjects when it starts. */
  async fill(size: number): Promise<void> {
    await this.#stopChat();
    const began = performance.now();
    await fillLog(this.#database!, { board, size });
    this.#say(`  … ${size.toLocaleString('en-US')} events in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    await this.#startChat();
  }

  /** @returns how many events the page held. */
  async page(query: HistoryQuery): Promise<number> {
    const { statusCode, body } = await this.#pool!.request({
      method: 'POST',
      path: `/internal/v1/boards/${board}/history`,
      headers: { authorization: `Bearer ${serviceToken(this.#secret, 'chat')}`, 'content-type': 'application/json' },
      body: JSON.stringify(query),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`a page answered ${statusCode}: ${text}`);
    return historyPageSchema.parse(JSON.parse(text)).items.length;
  }

  async stop(): Promise<void> {
    await this.#stopChat();
    // oxlint-disable-next-line no-await-in-loop -- last come, first gone
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) await stop();
  }

  async #startServers(): Promise<void> {
    const env = { ...process.env, DATABASE_URL: undefined, NATS_URL: undefined };
    const postgres = await providePostgres({ dataDir: this.#folder, env, isDurable: false });
    this.#stops.push(() => postgres.stop());
    const nats = await provideNats({ dataDir: this.#folder, env });
    this.#stops.push(() => nats.stop());
    const password = randomBytes(16).toString('hex');
    const urls = await provisionSchemas(postgres.url, [{ schema: 'chat', role: 'boardwire_chat', password }]);
    this.#env = {
      PATH: process.env['PATH'],
      LOG_LEVEL: 'warn',
      INTERNAL_SECRET: this.#secret,
      NATS_URL: nats.url,
      NATS_TOKEN: nats.token,
      DATABASE_URL: urls['chat'],
      FEDERATION_URL: 'http://127.0.0.1:9',
      DRAIN_MS: '0',
    };
    // Its first start makes the tables and the boards.
    await this.#startChat();
    const url = urls['chat']!;
    const database = await openDatabase({ url, schema: 'chat', migrations: [], statementTimeoutMs, logger });
    this.#database = database;
    this.#stops.push(() => database.close());
  }

  async #startChat(): Promise<void> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    this.#chat = await ServerProcess.start({
      command: process.execPath,
      args: [join(checkoutFolder, 'services/chat/dist/main.js')],
      cwd: this.#folder,
      env: { ...this.#env, INTERNAL_PORT: String(port) },
      logFile: join(this.#folder, 'logs', 'chat.log'),
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 5_000,
    });
    this.#pool = new Pool(url, { connections: 1 });
    await this.#ready(url);
  }

  async #stopChat(): Promise<void> {
    await this.#pool?.close();
    await this.#chat?.stop();
    this.#pool = undefined;
    this.#chat = undefined;
  }

  /** Reading the log needs neither federation nor audit, so being ready is not asked: that chat answers is. */
  async #ready(url: string): Promise<void> {
    const deadline = performance.now() + readyMs;
    let last = '';
    while (performance.now() < deadline && this.#chat?.isRunning === true) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- until it answers
        await this.page({ subjects: ['>'], limit: 1 });
        return;
      } catch (error) {
        last = String(error);
        // oxlint-disable-next-line no-await-in-loop
        await sleep(50);
      }
    }
    throw new Error(`chat did not answer at ${url}: ${last}`);
  }
}
