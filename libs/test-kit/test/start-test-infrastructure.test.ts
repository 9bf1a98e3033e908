import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { natsAnswers } from '@boardwire/embedded';
import { join } from 'node:path';
import pg from 'pg';
import { whyNoContainers, type ServerHome } from '../src/container-engine.ts';
import { eventually } from '../src/eventually.ts';
import { startTestInfrastructure, type TestInfrastructure } from '../src/start-test-infrastructure.ts';
import { testFolder } from '../src/test-folder.ts';

const homes: ServerHome[] = ['embedded'];
const reason =
  process.env['BOARDWIRE_TEST_SERVERS'] === 'embedded' ? 'embedded servers are asked for' : await whyNoContainers();
if (reason === undefined) homes.push('containers');
else process.stdout.write(`servers in containers not tried: ${reason}\n`);

describe.each(homes)('a suite with servers of its own, %s,', (home) => {
  let infrastructure: TestInfrastructure;

  beforeAll(async () => {
    infrastructure = await startTestInfrastructure(home);
  }, 60_000);

  afterAll(() => infrastructure.stop());

  async function query<T>(sql: string): Promise<T[]> {
    const client = new pg.Client({ connectionString: infrastructure.postgres.url, connectionTimeoutMillis: 1_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(sql)).rows as T[];
    } finally {
      await client.end();
    }
  }

  it('knows what kind they are', () => {
    const kind = home === 'containers' ? 'container' : 'embedded';
    expect([infrastructure.postgres.kind, infrastructure.nats.kind]).toEqual([kind, kind]);
  });

  it.each(['kill', 'stop'] as const)("keeps Postgres' port and committed rows through a %s", async (end) => {
    const { port } = infrastructure.postgres;
    await query(`CREATE TABLE kept_${end} AS SELECT 1 AS n`);
    await infrastructure.postgres[end]();
    await expect(query('SELECT 1')).rejects.toThrow();
    await infrastructure.postgres.start();
    expect(infrastructure.postgres.port).toBe(port);
    expect(await query(`SELECT n FROM kept_${end}`)).toEqual([{ n: 1 }]);
  });

  it('gets no answer from Postgres while it is paused, and again afterwards', async () => {
    await infrastructure.postgres.pause();
    await expect(query('SELECT 1')).rejects.toThrow(/timeout/);
    await infrastructure.postgres.resume();
    await eventually(() => query('SELECT 1'));
  });

  it("has the services' folding of text: only ASCII letters, whatever the machine speaks", async () => {
    expect(await query(`SELECT lower('ÄB') AS folded`)).toEqual([{ folded: 'Äb' }]);
  });

  it('finds nats-server on its port after a crash, a restart and a pause', async () => {
    const { nats } = infrastructure;
    const { port } = nats;
    await nats.kill();
    expect(await natsAnswers('127.0.0.1', port)).toBe(false);
    await nats.start();
    expect(nats.port).toBe(port);
    expect(await natsAnswers('127.0.0.1', port)).toBe(true);
    await nats.restart();
    expect(await natsAnswers('127.0.0.1', port)).toBe(true);
    await nats.pause();
    await nats.resume();
    expect(await natsAnswers('127.0.0.1', port)).toBe(true);
  });

  it('may start what runs and stop what stopped', async () => {
    const { nats } = infrastructure;
    await nats.start();
    await nats.stop();
    await nats.stop();
    await nats.start();
    expect(await natsAnswers('127.0.0.1', nats.port)).toBe(true);
  });
});

describe('looking for a Docker engine', () => {
  const before = process.env['DOCKER_HOST'];
  let silent: Server | undefined;

  afterEach(() => {
    if (before === undefined) delete process.env['DOCKER_HOST'];
    else process.env['DOCKER_HOST'] = before;
    silent?.close();
  });

  it('says so when there is none', async () => {
    process.env['DOCKER_HOST'] = 'unix:///nowhere/docker.sock';
    expect(await whyNoContainers()).toMatch(/engine/);
  });

  it('does not wait for one that never answers', async () => {
    const socket = join(await testFolder(), 'silent.sock');
    silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent?.listen(socket, resolve));
    process.env['DOCKER_HOST'] = `unix://${socket}`;
    const from = performance.now();
    expect(await whyNoContainers()).toMatch(/did not answer within 300 ms/);
    expect(performance.now() - from).toBeLessThan(1_000);
  });
});
