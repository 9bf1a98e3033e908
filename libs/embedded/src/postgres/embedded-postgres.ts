import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { ControlledServer } from '../controlled-server.ts';
import { freePort, isPortFree } from '../free-port.ts';
import { tailOf } from '../log-tail.ts';
import { ServerProcess } from '../server-process.ts';
import { postgresEnvironment, type UnprivilegedUser } from './unprivileged-user.ts';

export interface PostgresServer extends ControlledServer {
  /** Address with the administrator's name and password, database `postgres`. */
  readonly url: string;
}

export interface EmbeddedPostgresOptions {
  user: UnprivilegedUser;
  folder: string;
  logFile: string;
  password: string;
  /** Taken when it is free; otherwise another one. */
  preferredPort?: number;
  /** false: no fsync, for tests. Still safe against a killed process, not against a power cut. */
  isDurable: boolean;
  maxConnections: number;
}

const startTimeoutMs = 60_000;

/** A Postgres server process of our own on the loopback address. */
export class EmbeddedPostgres implements PostgresServer {
  readonly kind = 'embedded';
  private process: ServerProcess | undefined;
  private chosenPort = 0;
  private version = '';

  constructor(private readonly options: EmbeddedPostgresOptions) {}

  get port(): number {
    return this.chosenPort;
  }

  get pid(): number | undefined {
    return this.process?.isRunning ? this.process.pid : undefined;
  }

  get url(): string {
    return `postgres://postgres:${encodeURIComponent(this.options.password)}@127.0.0.1:${this.chosenPort}/postgres`;
  }

  get description(): string {
    return `Postgres ${this.version} (${this.options.user.binaries.origin})`;
  }

  /**
   * Starts on the port it had before, if any. After a crash the old backends may need a moment to notice that their
   * postmaster is gone; until then a new one refuses the data folder, hence the repeats.
   */
  async start(): Promise<void> {
    if (this.process?.isRunning) return;
    const isFirst = this.chosenPort === 0;
    if (isFirst) this.chosenPort = await choosePort(this.options.preferredPort ?? 0);
    const deadline = performance.now() + startTimeoutMs;
    for (;;) {
      this.process = await this.spawn();
      if (await this.answers(this.process, deadline)) return;
      const log = await tailOf(this.options.logFile);
      if (performance.now() > deadline || !isWorthRepeating(log)) {
        await this.process.stop();
        throw new Error(`Postgres did not start. The end of ${this.options.logFile}:\n${log}`);
      }
      if (isFirst && /could not bind|Address already in use/.test(log)) this.chosenPort = await freePort();
      await sleep(100);
    }
  }

  async stop(): Promise<void> {
    await this.process?.stop();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async kill(): Promise<void> {
    await this.process?.kill();
  }

  async pause(): Promise<void> {
    await this.process?.pause();
  }

  async resume(): Promise<void> {
    await this.process?.resume();
  }

  private spawn(): Promise<ServerProcess> {
    const { user, folder, logFile } = this.options;
    const settings = Object.entries(this.settings()).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [command, ...args] = [...user.prefix, user.binaries.postgres, '-D', folder, ...settings];
    return ServerProcess.start({
      command: command as string,
      args,
      cwd: '/',
      env: postgresEnvironment(user.binaries),
      logFile,
      // Fast shutdown: ends sessions and writes a checkpoint. Two seconds are plenty, and a kill loses nothing.
      stopSignal: 'SIGINT',
      stopTimeoutMs: 2_500,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      ...(user.gid === undefined ? {} : { gid: user.gid }),
    });
  }

  private settings(): Record<string, string> {
    const { isDurable, maxConnections } = this.options;
    return {
      port: String(this.chosenPort),
      listen_addresses: '127.0.0.1',
      // No socket file: its path may not exceed 107 bytes, and a checkout's often does.
      unix_socket_directories: '',
      max_connections: String(maxConnections),
      shared_buffers: isDurable ? '128MB' : '32MB',
      max_wal_size: '1GB',
      // Postgres looks for a host's time zone and locale otherwise; ours is fixed.
      timezone: 'UTC',
      log_timezone: 'UTC',
      log_min_messages: 'warning',
      jit: 'off',
      ...(isDurable ? {} : { fsync: 'off', full_page_writes: 'off', autovacuum_naptime: '60s' }),
    };
  }

  private async answers(server: ServerProcess, deadline: number): Promise<boolean> {
    while (server.isRunning && performance.now() < deadline) {
      const version = await askVersion(this.url);
      if (version !== undefined && server.isRunning) {
        this.version = version;
        return true;
      }
      await sleep(15);
    }
    return false;
  }
}

async function choosePort(preferred: number): Promise<number> {
  return preferred > 0 && (await isPortFree(preferred)) ? preferred : freePort();
}

function isWorthRepeating(log: string): boolean {
  return /pre-existing shared memory block|still in use|lock file .* already exists|could not bind|Address already in use/.test(
    log,
  );
}

/** The server's version, or undefined while nothing answers at the address. */
export async function askVersion(url: string, timeoutMs = 5_000): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeoutMs });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    return rows[0]?.server_version.split(' ')[0];
  } catch (error) {
    // 28P01, 28000: it runs, and will never let us in. Waiting doesn't help.
    if (['28P01', '28000', '3D000'].includes((error as { code?: string }).code ?? '')) throw error;
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Where a server's log goes, beside its data. */
export function logFileIn(dataDir: string, name: string): string {
  return join(dataDir, 'logs', `${name}.log`);
}
