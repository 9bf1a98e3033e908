import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { call, say, signInAsGuest } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await startTestSite();
}, 60_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

const services = ['gateway', 'chat', 'federation', 'audit', 'applets'] as const;
type Report = { status: string; reasons: string[] };

async function until(check: () => Promise<boolean>, timeoutMs: number, what: string): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('health', () => {
  test.each(services)('%s is live, ready, and tells its loops and metrics', async (service) => {
    const url = site.internalUrl(service);
    expect((await call(`${url}/livez`)).status).toBe(200);
    expect(await call<Report>(`${url}/readyz`)).toMatchObject({ status: 200, body: { status: 'ok', reasons: [] } });
    const metrics = await call(`${url}/metrics`);
    expect(metrics.status).toBe(200);
    expect(metrics.text).toContain('# TYPE process_cpu_seconds_total counter');
    expect((await call(`${url}/internal/v1/status`)).status).toBe(401);
  });

  test('the delivery metrics move when an event is delivered', async () => {
    const ana = await signInAsGuest(site.url, 'metric-ana');
    const stream = new StreamRecorder(`${site.url}/v1/boards/events/stream`, { token: ana.token });
    await stream.until((it) => it.named('caught_up').length === 1);
    await say(site.url, ana, 'counted');
    await stream.until((it) => it.events.length === 1);
    const gateway = (await call(`${site.internalUrl('gateway')}/metrics`)).text;
    expect(value(gateway, 'boardwire_gateway_connections{transport="sse"}')).toBe(1);
    expect(value(gateway, 'boardwire_subscriptions')).toBeGreaterThanOrEqual(1);
    expect(value(gateway, 'boardwire_publish_to_deliver_seconds_count')).toBeGreaterThanOrEqual(1);
    expect(value(gateway, 'boardwire_resumes_total{outcome="fresh"}')).toBeGreaterThanOrEqual(1);
    expect(gateway).toMatch(/boardwire_queue_depth\{queue="outbox"\}/);
    const chat = (await call(`${site.internalUrl('chat')}/metrics`)).text;
    expect(value(chat, 'boardwire_append_seconds_count')).toBeGreaterThanOrEqual(1);
    expect(value(chat, 'boardwire_append_batch_size_count')).toBeGreaterThanOrEqual(1);
    for (const series of [
      'boardwire_relay_backlog_events',
      'boardwire_relay_lag_seconds',
      'boardwire_queue_depth{queue="append"}',
      'boardwire_queue_depth{queue="relay"}',
    ]) {
      expect(chat).toContain(series);
    }
    const audit = (await call(`${site.internalUrl('audit')}/metrics`)).text;
    expect(audit).toContain('boardwire_audit_checkpoint_age_seconds');
    for (const text of [gateway, chat, audit])
      expect(text).toMatch(/boardwire_loop_last_beat_seconds\{loop="[a-z-_.]+"\} \d/);
    stream.close();
  });

  test('a lost NATS degrades the site and takes no service out', async () => {
    await site.infrastructure.nats.kill();
    try {
      await until(
        async () => (await call<Report>(`${site.internalUrl('gateway')}/readyz`)).body.status === 'degraded',
        10_000,
        'degraded',
      );
      for (const service of services) expect((await call(`${site.internalUrl(service)}/readyz`)).status).toBe(200);
    } finally {
      await site.infrastructure.nats.start();
    }
    await until(
      async () => (await call<Report>(`${site.internalUrl('gateway')}/readyz`)).body.status === 'ok',
      15_000,
      'ok again',
    );
  }, 60_000);

  test('a lost Postgres takes chat out and it returns by itself', async () => {
    await site.infrastructure.postgres.kill();
    try {
      await until(async () => (await call(`${site.internalUrl('chat')}/readyz`)).status === 503, 10_000, 'chat 503');
      expect((await call<Report>(`${site.internalUrl('chat')}/readyz`)).body.reasons.join(' ')).toMatch(
        /postgres|database/i,
      );
      expect((await call(`${site.internalUrl('chat')}/livez`)).status).toBe(200);
    } finally {
      await site.infrastructure.postgres.start();
    }
    for (const service of services)
      await until(
        async () => (await call(`${site.internalUrl(service)}/readyz`)).status === 200,
        20_000,
        `${service} ready`,
      );
  }, 60_000);
});

function value(metrics: string, series: string): number {
  const line = metrics
    .split('\n')
    .find((text) => text.startsWith(`${series} `) || (!series.includes('{') && text.startsWith(`${series}{`)));
  return line === undefined ? Number.NaN : Number(line.slice(line.lastIndexOf(' ') + 1));
}
