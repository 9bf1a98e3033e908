import { afterEach, describe, expect, test } from '@jest/globals';
import { Module } from '@nestjs/common';
import {
  commonConfig,
  createContext,
  readConfig,
  startInternalServer,
  type InternalServer,
  type Loop,
} from '../src/index.ts';

@Module({})
class EmptyModule {}

let stop: () => Promise<void> = () => Promise.resolve();
afterEach(() => stop());

async function start() {
  const config = readConfig(commonConfig, { INTERNAL_SECRET: 's'.repeat(32), LOG_LEVEL: 'silent' });
  const context = createContext('audit', config);
  const server: InternalServer = await startInternalServer(context, EmptyModule, { host: '127.0.0.1', port: 0 });
  stop = async () => {
    await context.supervisor.stop();
    await server.close();
  };
  const ready = async () => {
    const response = await fetch(`${server.url}/readyz`);
    return { status: response.status, report: (await response.json()) as { status: string; reasons: string[] } };
  };
  return { context, server, ready };
}

describe('/readyz', () => {
  test('is 503 while starting, 200 when ready, 503 once draining, for ever', async () => {
    const { context, ready } = await start();
    context.health.starting('waiting for the site identity');
    expect(await ready()).toEqual({
      status: 503,
      report: { status: 'starting', reasons: ['waiting for the site identity'] },
    });
    context.health.ready();
    expect(await ready()).toEqual({ status: 200, report: { status: 'ok', reasons: [] } });
    context.health.draining();
    context.health.ready();
    context.health.starting('again');
    expect(await ready()).toMatchObject({ status: 503, report: { status: 'draining' } });
  });

  test('a hard dependency makes it 503, a soft one only degraded', async () => {
    const { context, ready } = await start();
    let database: string | undefined;
    context.health.hard('database', () => database);
    context.health.soft('nats', () => 'disconnected for 3 s');
    context.health.ready();
    expect(await ready()).toEqual({
      status: 200,
      report: { status: 'degraded', reasons: ['nats: disconnected for 3 s'] },
    });
    database = 'no connection';
    expect(await ready()).toEqual({
      status: 503,
      report: { status: 'unavailable', reasons: ['database: no connection'] },
    });
  });

  test('a check that throws has failed', async () => {
    const { context, ready } = await start();
    context.health.hard('database', () => {
      throw new Error('bad check');
    });
    context.health.ready();
    expect(await ready()).toMatchObject({ status: 503, report: { reasons: ['database: bad check'] } });
  });

  test.each([
    ['returns at once', () => Promise.resolve()],
    ['throws', () => Promise.reject(new Error('no'))],
    [
      'never beats',
      ({ signal }: Loop) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
    ],
  ])('a loop that %s is named within 2 s, while /livez stays 200', async (_what, body) => {
    const { context, server, ready } = await start();
    context.health.ready();
    context.supervisor.run('relay', { beatEveryMs: 500 }, body);
    const from = Date.now();
    let answer = await ready();
    while (answer.status === 200 && Date.now() - from < 2_000) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      answer = await ready();
    }
    expect(answer).toEqual({
      status: 503,
      report: { status: 'unavailable', reasons: ['loop relay does not beat'] },
    });
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  });
});

describe('/metrics', () => {
  test('holds only well-formed families, each told once, none that promtool refuses', async () => {
    const { context, server, ready } = await start();
    context.metrics.queueDepth('append', () => 7);
    context.metrics.observeQueueWait('append', 0.002);
    await ready();
    const response = await fetch(`${server.url}/metrics`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(text).toContain('boardwire_queue_depth{queue="append"} 7');
    expect(text).toContain('boardwire_http_seconds_count{server="internal",method="GET",route="/readyz",code="503"} 1');
    const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    expect(new Set(families.map(([, name]) => name)).size).toBe(families.length);
    for (const [, name, type] of families) {
      if (type !== 'counter') expect(name).not.toMatch(/_total$/);
      else expect(name).toMatch(/_total$/);
    }
  });

  test('two services in one process count apart', async () => {
    const first = await start();
    const stopFirst = stop;
    const second = await start();
    const stopSecond = stop;
    stop = async () => {
      await stopFirst();
      await stopSecond();
    };
    first.context.metrics.counter('things_total', 'Things.').inc(3);
    second.context.metrics.counter('things_total', 'Things.').inc(4);
    expect(await (await fetch(`${second.server.url}/metrics`)).text()).toContain('boardwire_things_total 4');
  });
});

describe('closing', () => {
  test('ends idle connections at once', async () => {
    const { server } = await start();
    await (await fetch(`${server.url}/livez`)).text();
    const from = Date.now();
    await server.close();
    expect(Date.now() - from).toBeLessThan(500);
  });

  test('lets a request in flight finish', async () => {
    const { context, server } = await start();
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    let arrived = () => {};
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    context.metrics.registry.metrics = async () => {
      arrived();
      await gate;
      return 'late 1\n';
    };
    const request = fetch(`${server.url}/metrics`);
    await arrival;
    const closing = server.close();
    release();
    expect(await (await request).text()).toBe('late 1\n');
    await closing;
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow();
  });

  test('cuts a request that outlasts the drain time', async () => {
    const { context, server } = await start();
    let arrived = () => {};
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    context.metrics.registry.metrics = () => {
      arrived();
      return new Promise(() => {});
    };
    const request = fetch(`${server.url}/metrics`).catch(() => 'cut');
    await arrival;
    const from = Date.now();
    await server.close();
    expect(Date.now() - from).toBeLessThan(2_500);
    expect(await request).toBe('cut');
  });
});
