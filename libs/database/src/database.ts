import pg from 'pg';
import type { DataSource } from 'typeorm';
import { isConnectionError } from './connection-error.ts';
import { endClient } from './end-client.ts';
import type { DatabaseLogger } from './logger.ts';
import { numericTypes } from './numeric-types.ts';

/** Runs one statement; `bigint` columns come back as numbers. */
export interface Queryable {
  query<T extends object>(sql: string, parameters?: readonly unknown[]): Promise<T[]>;
}

export interface PreparedStatement {
  /** Unique in the service: each connection parses and plans the statement once under it. */
  name: string;
  sql: string;
  /** Gives the answer up after this; the server's `statement_timeout` still bounds the work itself. */
  timeoutMs?: number;
}

export interface DatabaseOptions {
  dataSource: DataSource;
  pool: pg.Pool;
  url: string;
  schema: string;
  logger: DatabaseLogger;
}

const probeEveryMs = 500;
const probeTimeoutMs = 1_500;
const dedicatedConnectMs = 2_000;
const closeMs = 2_000;

/**
 * A service's schema: pooled statements, transactions, and connections of its own for locks. Survives every restart
 * of Postgres by itself; while Postgres is away every call fails soon with an error that {@link isConnectionError}
 * knows.
 */
export class Database implements Queryable {
  readonly dataSource: DataSource;
  readonly schema: string;
  readonly #pool: pg.Pool;
  readonly #url: string;
  readonly #logger: DatabaseLogger;
  readonly #prober: NodeJS.Timeout;
  #isHealthy = true;
  #isProbing = false;
  #onProbe: (seconds: number) => void = () => undefined;
  #closing: Promise<void> | undefined;

  constructor({ dataSource, pool, url, schema, logger }: DatabaseOptions) {
    this.dataSource = dataSource;
    this.schema = schema;
    this.#pool = pool;
    this.#url = url;
    this.#logger = logger;
    pool.on('error', (error) => this.#noteFailure(error));
    this.#prober = setInterval(() => void this.#probe(), probeEveryMs).unref();
  }

  async query<T extends object>(sql: string, parameters: readonly unknown[] = []): Promise<T[]> {
    return this.#noted(async () => (await this.#pool.query<T>(sql, [...parameters])).rows);
  }

  /** For hot statements: named, so that a connection plans them once. */
  async prepared<T extends object>(statement: PreparedStatement, parameters: readonly unknown[]): Promise<T[]> {
    const { name, sql: text, timeoutMs } = statement;
    const config = {
      name,
      text,
      values: [...parameters],
      ...(timeoutMs === undefined ? {} : { query_timeout: timeoutMs }),
    };
    return this.#noted(async () => (await this.#pool.query<T>(config)).rows);
  }

  /** Commits when `work` resolves, rolls back when it rejects. A failed COMMIT is ambiguous if it is a connection error. */
  async transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    return this.#noted(async () => {
      const client = await this.#pool.connect();
      let broken: Error | undefined;
      const onError = (error: Error) => (broken = error);
      client.on('error', onError);
      try {
        await client.query('BEGIN');
        const result = await work(queryableOf(client));
        await client.query('COMMIT');
        return result;
      } catch (error) {
        if (isConnectionError(error)) broken = error as Error;
        else await client.query('ROLLBACK').catch((cause: Error) => (broken = cause));
        throw error;
      } finally {
        client.removeListener('error', onError);
        client.release(broken);
      }
    });
  }

  /** A connection outside the pool, for session locks. The caller ends it and listens to its `error` and `end`. */
  async dedicatedClient(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: dedicatedConnectMs,
      statement_timeout: dedicatedConnectMs,
      query_timeout: dedicatedConnectMs,
      keepAlive: true,
      types: numericTypes,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
    } catch (error) {
      void endClient(client);
      throw error;
    }
    return client;
  }

  /** Whether Postgres answered when it was last asked, at most two seconds ago. */
  healthy(): boolean {
    return this.#isHealthy;
  }

  /** Statements that wait for a free connection. */
  get waiting(): number {
    return this.#pool.waitingCount;
  }

  /** Connections of the pool: those at work, and those that wait for some. */
  get connections(): { busy: number; idle: number } {
    const { totalCount, idleCount } = this.#pool;
    return { busy: totalCount - idleCount, idle: idleCount };
  }

  /** Called with the seconds that each probe took, twice a second while Postgres answers: its cheapest statement. */
  onProbe(listener: (seconds: number) => void): void {
    this.#onProbe = listener;
  }

  /** Ends the pool; bounded, also when Postgres does not answer. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    clearInterval(this.#prober);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeMs);
    });
    await Promise.race([this.dataSource.destroy().catch(() => undefined), late]);
    clearTimeout(timer);
  }

  async #noted<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#noteSuccess();
      return result;
    } catch (error) {
      if (isConnectionError(error)) this.#noteFailure(error);
      throw error;
    }
  }

  async #probe(): Promise<void> {
    if (this.#isProbing) return;
    this.#isProbing = true;
    const startedAt = performance.now();
    try {
      await this.prepared({ name: 'probe', sql: 'SELECT 1 AS one', timeoutMs: probeTimeoutMs }, []);
      this.#onProbe((performance.now() - startedAt) / 1_000);
    } catch (error) {
      this.#noteFailure(error);
    } finally {
      this.#isProbing = false;
    }
  }

  #noteSuccess(): void {
    if (this.#isHealthy) return;
    this.#isHealthy = true;
    this.#logger.info({ event: 'database.back', schema: this.schema });
  }

  #noteFailure(error: unknown): void {
    if (!this.#isHealthy || this.#closing !== undefined) return;
    this.#isHealthy = false;
    this.#logger.warn({ event: 'database.gone', schema: this.schema, reason: String(error) });
  }
}

function queryableOf(client: pg.PoolClient): Queryable {
  return {
    async query<T extends object>(sql: string, parameters: readonly unknown[] = []): Promise<T[]> {
      return (await client.query<T>(sql, [...parameters])).rows;
    },
  };
}
