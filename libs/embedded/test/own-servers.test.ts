import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { isAlive, signalProcess, waitUntilGone } from '../src/process-table.ts';
import { provideNats } from '../src/nats/provide-nats.ts';
import type { NatsServer } from '../src/nats/embedded-nats.ts';
import { providePostgres } from '../src/postgres/provide-postgres.ts';
import { stopServersIn } from '../src/stop-servers-in.ts';

const env = { ...process.env, DATABASE_URL: undefined, NATS_URL: undefined };
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'boardwire own servers '));
  await chmod(dataDir, 0o711);
});

afterAll(() => rm(dataDir, { recursive: true, force: true }));

async function rows(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('an embedded Postgres', () => {
  it('keeps its data, its port and its password from one start to the next', async () => {
    const first = await providePostgres({ dataDir, env });
    await rows(first.url, 'CREATE TABLE kept AS SELECT 7 AS n');
    await first.stop();
    const second = await providePostgres({ dataDir, env });
    expect(second.url).toBe(first.url);
    expect(await rows(second.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
    await second.stop();
  });

  it('asks for its password, which only its owner can read', async () => {
    const server = await providePostgres({ dataDir, env });
    const wrong = new URL(server.url);
    wrong.password = 'guessed';
    await expect(rows(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    expect((await stat(join(dataDir, 'secrets', 'postgres-password'))).mode & 0o777).toBe(0o600);
    await server.stop();
  });
});

/** Tries to use the server with a token, and resolves with its verdict. */
function natsVerdict({ port }: NatsServer, token: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const verdict = /PONG|-ERR [^\r\n]*/.exec(text);
      if (verdict) {
        resolve(verdict[0]);
        socket.destroy();
      }
    });
    socket.on('error', reject);
    socket.write(`CONNECT ${JSON.stringify({ verbose: false, auth_token: token })}\r\nPING\r\n`);
  });
}

describe('an embedded NATS', () => {
  it('lets in who has its token, and nobody else', async () => {
    const server = await provideNats({ dataDir, env });
    expect(await natsVerdict(server, server.token ?? '')).toBe('PONG');
    expect(await natsVerdict(server, 'guessed')).toMatch(/Authorization/);
    await server.stop();
  });
});

/** Starts both servers in a process of its own, and resolves with all pids. */
async function startElsewhere(): Promise<{ launcher: number; servers: number[] }> {
  const script = `import { provideNats, providePostgres } from '@boardwire/embedded';
    const options = { dataDir: process.argv[1], env: { ...process.env, DATABASE_URL: undefined, NATS_URL: undefined } };
    const servers = [await providePostgres(options), await provideNats(options)];
    console.log(JSON.stringify(servers.map((server) => server.pid)));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, dataDir], {
    cwd: import.meta.dirname ?? process.cwd(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const text = await new Promise<string>((resolve) =>
    child.stdout.once('data', (chunk: Buffer) => resolve(String(chunk))),
  );
  return { launcher: child.pid as number, servers: JSON.parse(text) as number[] };
}

describe('a launcher that is killed', () => {
  it('leaves no server behind: the guards end them in order', async () => {
    const { launcher, servers } = await startElsewhere();
    for (const pid of servers) expect(await isAlive(pid)).toBe(true);
    signalProcess(launcher, 'SIGKILL');
    for (const pid of servers) expect(await waitUntilGone(pid, 5_000)).toBe(true);
  });

  it('and whose servers live on nevertheless: the next start ends them first', async () => {
    const { launcher, servers } = await startElsewhere();
    // Frozen, a server doesn't hear its guard; that is as near as a test comes to a guard that was killed too.
    for (const pid of servers) signalProcess(pid, 'SIGSTOP');
    signalProcess(launcher, 'SIGKILL');
    await stopServersIn(dataDir);
    for (const pid of servers) expect(await waitUntilGone(pid, 5_000)).toBe(true);
  });
});
