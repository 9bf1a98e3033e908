import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { natsAnswers } from '@boardwire/embedded';
import pg from 'pg';
import { eventually } from '../src/eventually.ts';
import { startTestInfrastructure, type TestInfrastructure } from '../src/start-test-infrastructure.ts';

let infrastructure: TestInfrastructure;

beforeAll(async () => {
  infrastructure = await startTestInfrastructure();
});

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

describe('a suite has a Postgres of its own', () => {
  it('keeps port and committed rows through a crash', async () => {
    const { port } = infrastructure.postgres;
    await query('CREATE TABLE kept AS SELECT 1 AS n');
    await infrastructure.postgres.kill();
    await expect(query('SELECT 1')).rejects.toThrow();
    await infrastructure.postgres.start();
    expect(infrastructure.postgres.port).toBe(port);
    expect(await query('SELECT n FROM kept')).toEqual([{ n: 1 }]);
  });

  it('answers nothing while it is paused, and goes on afterwards', async () => {
    await infrastructure.postgres.pause();
    await expect(query('SELECT 1')).rejects.toThrow(/timeout/);
    await infrastructure.postgres.resume();
    await eventually(() => query('SELECT 1'));
  });
});

describe('a suite has a nats-server of its own', () => {
  it('comes back on its port after a crash', async () => {
    const { nats } = infrastructure;
    const { port } = nats;
    await nats.kill();
    expect(await natsAnswers('127.0.0.1', port)).toBe(false);
    await nats.start();
    expect(nats.port).toBe(port);
    expect(await natsAnswers('127.0.0.1', port)).toBe(true);
  });
});
