import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkoutFolder, commandLine, freePort, signalProcess } from '@boardwire/embedded';
import { eventually } from '@boardwire/test-kit';
import { readSiteRecord } from '../src/site-state.ts';

const execute = promisify(execFile);
const startMs = 60_000;
const stopMs = 5_000;

let dataDir: string;
let port: number;
const launched: Launched[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'boardwire a site '));
  port = await freePort();
});

afterEach(async () => {
  for (const site of launched.splice(0)) await site.end('SIGTERM');
});

afterAll(() => rm(dataDir, { recursive: true, force: true }));

/** The launcher as a user runs it, from its dist. */
class Launched {
  output = '';
  private readonly child: ChildProcess;
  private readonly closed: Promise<unknown>;

  constructor(args: string[] = []) {
    const { DATABASE_URL: _database, NATS_URL: _nats, npm_lifecycle_event: _npm, ...env } = process.env;
    this.child = spawn(process.execPath, [join(checkoutFolder, 'site/dist/main.js'), ...args], {
      env: {
        ...env,
        PORT: String(port),
        INTERNAL_PORT_BASE: String(port + 1),
        BOARDWIRE_DATA: dataDir,
        NODE_ENV: 'test',
      },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString('utf8')));
    }
    this.closed = once(this.child, 'close');
    launched.push(this);
  }

  async says(pattern: RegExp): Promise<void> {
    await eventually(
      () => {
        if (!pattern.test(this.output)) throw new Error(`not said: ${pattern}, but:\n${this.output}`);
      },
      { timeoutMs: startMs },
    );
  }

  async exitCode(): Promise<number | null> {
    await this.closed;
    return this.child.exitCode;
  }

  /** Sends the signal and resolves with how long the end took. */
  async end(signal: NodeJS.Signals): Promise<number> {
    const from = performance.now();
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.closed;
    return performance.now() - from;
  }
}

/** Every process whose command line names the data folder: servers, services, guards are found by their servers. */
async function processesOfTheSite(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const lines = await Promise.all(pids.map(commandLine));
  return lines.filter((line) => line.includes(dataDir));
}

describe('a site started from the command line', () => {
  it('says the address, how to post and follow, and shows the password at the first start only', async () => {
    const first = new Launched();
    await first.says(/Boardwire runs at/);
    for (const part of [`localhost:${port}`, 'curl -N', '/v1/auth/guest', 'shown this once']) {
      expect(first.output).toContain(part);
    }
    await first.end('SIGTERM');
    const second = new Launched();
    await second.says(/Boardwire runs at/);
    expect(second.output).not.toContain('shown this once');
    expect(second.output).toContain(join(dataDir, 'secrets', 'admin-password'));
  }, 150_000);

  it('refuses a second start on the same data, and names the pid', async () => {
    const site = new Launched();
    await site.says(/Boardwire runs at/);
    const second = new Launched();
    expect(await second.exitCode()).toBe(1);
    expect(second.output).toMatch(/already runs on .* \(pid \d+\)/);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBeLessThan(500);
  }, 120_000);

  it('says which port is taken and which variable to set, and leaves nothing running', async () => {
    const other = createServer().listen(port);
    await once(other, 'listening');
    const site = new Launched();
    expect(await site.exitCode()).toBe(1);
    expect(site.output).toMatch(new RegExp(`Port ${port} is taken.*PORT=`));
    expect(await processesOfTheSite()).toEqual([]);
    other.close();
  }, 120_000);

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stops everything within 5 s on %s, and leaves no process',
    async (signal) => {
      const site = new Launched();
      await site.says(/Boardwire runs at/);
      expect((await processesOfTheSite()).length).toBeGreaterThanOrEqual(2);
      const tookMs = await site.end(signal);
      expect(tookMs).toBeLessThan(stopMs);
      expect(await site.exitCode()).toBe(0);
      expect(await processesOfTheSite()).toEqual([]);
    },
    120_000,
  );
});

describe('a site with processes of their own', () => {
  it('starts a killed gateway and a killed NATS again, and leaves no process when the launcher itself is killed', async () => {
    const site = new Launched(['--processes']);
    await site.says(/Boardwire runs at/);
    const gatewayPid = async (): Promise<number> => {
      const record = await readSiteRecord(dataDir);
      return record?.services.find(({ name }) => name === 'gateway')?.pid ?? 0;
    };
    const before = await gatewayPid();
    signalProcess(before, 'SIGKILL');
    await site.says(/gateway is back/);
    expect(await gatewayPid()).not.toBe(before);
    signalProcess(Number(await readFile(join(dataDir, 'nats', 'nats-server.pid'), 'utf8')), 'SIGKILL');
    await site.says(/NATS .* is back/);
    await site.end('SIGKILL');
    await eventually(async () => expect(await processesOfTheSite()).toEqual([]), { timeoutMs: stopMs });
  }, 150_000);

  it('takes over after a launcher that was killed, with its data', async () => {
    expect(await readFile(join(dataDir, 'site.lock'), 'utf8')).toContain('pid');
    const site = new Launched(['--processes']);
    await site.says(/Boardwire runs at/);
    expect(site.output).toContain('database found');
  }, 120_000);
});

describe('a site with two gateways behind one address', () => {
  const pidOf = async (name: string): Promise<number> => {
    const record = await readSiteRecord(dataDir);
    return record?.services.find((service) => service.name === name)?.pid ?? 0;
  };
  const answers = async (): Promise<number[]> => {
    const url = `http://127.0.0.1:${port}/.well-known/jwks.json`;
    const asked = Array.from({ length: 8 }, () => fetch(url, { headers: { connection: 'close' } }));
    return (await Promise.all(asked)).map(({ status }) => status);
  };
  /** What a process had taken when it died is reset with it; from a moment later on nobody notices. */
  const allAnswer = () =>
    eventually(async () => expect(await answers()).toEqual([200, 200, 200, 200, 200, 200, 200, 200]), {
      timeoutMs: 1_000,
    });

  it('answers while each of them is killed and comes back, shows both, and stops within 5 s with clients on it', async () => {
    const site = new Launched(['--gateways', '2']);
    await site.says(new RegExp(`Boardwire runs at http://localhost:${port} with 2 gateways`));
    const env = { ...process.env, BOARDWIRE_DATA: dataDir };
    const { stdout } = await execute(process.execPath, [join(checkoutFolder, 'site/dist/status.js')], { env });
    expect(stdout).toMatch(new RegExp(`^http://127.0.0.1:${port} .*^gateway  pid .*^gateway-2  pid `, 'ms'));
    for (const name of ['gateway', 'gateway-2']) {
      signalProcess(await pidOf(name), 'SIGKILL');
      await allAnswer();
      await site.says(new RegExp(`${name} is back`));
    }
    signalProcess(await pidOf('gateway'), 'SIGTERM');
    await allAnswer();
    await site.says(/gateway ended unasked \(code 0\)/);
    const guest = await fetch(`http://127.0.0.1:${port}/v1/auth/guest`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ nickname: `launched-${port}` }),
    });
    const { accessToken } = (await guest.json()) as { accessToken: string };
    const stream = await fetch(`http://127.0.0.1:${port}/v1/boards/events/stream`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    expect(stream.status).toBe(200);
    const tookMs = await site.end('SIGINT');
    expect(tookMs).toBeLessThan(stopMs);
    expect(await site.exitCode()).toBe(0);
    expect(await processesOfTheSite()).toEqual([]);
    // It was sent away with a reason, or cut: either ends it.
    expect(await stream.text().catch(() => 'cut')).toMatch(/event: reconnect|^cut$/);
  }, 150_000);

  it('says which port is taken, also when it is one behind the public address', async () => {
    const other = createServer().listen(port + 22, '127.0.0.1');
    await once(other, 'listening');
    const site = new Launched(['--gateways', '2']);
    expect(await site.exitCode()).toBe(1);
    expect(site.output).toMatch(new RegExp(`Internal port ${port + 22} is taken`));
    other.close();
  }, 60_000);
});
