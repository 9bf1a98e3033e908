import { signedSiteDocumentSchema, siteIdentitySchema, type ServiceStatus } from '@boardwire/contracts';
import { provisionSchemas } from '@boardwire/database';
import { boot, verifySiteDocument } from '@boardwire/federation';
import { ConfigError, ServiceTokens, type Environment, type RunningService } from '@boardwire/service-kit';
import { eventually, startTestInfrastructure, type TestInfrastructure } from '@boardwire/test-kit';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ChatStandIn } from './chat-stand-in.ts';

const secret = 's'.repeat(32);
const tokens = new ServiceTokens('gateway', secret);

let infrastructure: TestInfrastructure;
let chat: ChatStandIn;
let environment: Environment;
let running: RunningService | undefined;

beforeAll(async () => {
  infrastructure = await startTestInfrastructure();
  chat = await ChatStandIn.start(infrastructure, secret);
  const schemas = [{ schema: 'federation', role: 'boardwire_federation', password: 'p' }];
  const urls = await provisionSchemas(infrastructure.env.DATABASE_URL, schemas);
  environment = {
    ...infrastructure.env,
    NODE_ENV: 'test',
    LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
    INTERNAL_SECRET: secret,
    DATABASE_URL: urls['federation'],
    CHAT_URL: chat.url,
    PUBLIC_URL: 'https://site.example',
  };
});
afterEach(() => running?.stop());
afterAll(async () => {
  await chat.close();
  await infrastructure.stop();
});

async function start(more: Environment = {}): Promise<RunningService> {
  running = await boot({ ...environment, ...more });
  return running;
}

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${running!.internalUrl}${path}`, { headers });

async function authorized(path: string): Promise<unknown> {
  const response = await get(path, { authorization: `Bearer ${await tokens.issue('federation')}` });
  expect(response.status).toBe(200);
  return response.json();
}

async function position(board: string): Promise<number | undefined> {
  const { boards } = (await authorized('/internal/v1/status')) as ServiceStatus;
  return boards.find((status) => status.board === board)?.position;
}

async function followed(): Promise<number> {
  const metrics = await (await get('/metrics')).text();
  return Number(/^boardwire_federation_followed_events_total\{class="log"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
}

async function readiness() {
  const response = await get('/readyz');
  const { status, reasons } = (await response.json()) as { status: string; reasons: string[] };
  return { code: response.status, status, reasons };
}

test('the identity goes to services only, the signed document to everybody, and both name one site', async () => {
  await start();
  expect((await get('/internal/v1/identity')).status).toBe(401);
  const identity = siteIdentitySchema.parse(await authorized('/internal/v1/identity'));
  const response = await get('/.well-known/boardwire');
  const envelope = signedSiteDocumentSchema.parse(await response.json());
  expect(verifySiteDocument(envelope)).toMatchObject({ site: identity.siteId, endpoints: ['https://site.example'] });
  expect(await authorized('/internal/v1/site-document')).toEqual(envelope);
});

test('the site is the same after a restart', async () => {
  await start();
  const before = await authorized('/internal/v1/identity');
  await running!.stop();
  await start();
  expect(await authorized('/internal/v1/identity')).toEqual(before);
});

test('the log is followed to its end, past holes in the mirror, and after a restart from where it was', async () => {
  await start();
  await chat.publish('events', 300);
  await chat.publish('events', 50, { mirrored: false });
  await chat.publish('events', 50);
  await eventually(async () => expect(await position('events')).toBe(400));
  expect(await followed()).toBe(400);
  await running!.stop();

  await chat.publish('events', 25);
  await start();
  await eventually(async () => expect(await position('events')).toBe(425));
  expect(await followed()).toBe(25);
});

test('without NATS it is degraded, ready, and follows all the same', async () => {
  await start();
  await infrastructure.nats.kill();
  try {
    await eventually(async () =>
      expect(await readiness()).toEqual({ code: 200, status: 'degraded', reasons: ['nats: disconnected'] }),
    );
    await chat.publish('quiet', 10, { mirrored: false });
    await eventually(async () => expect(await position('quiet')).toBe(10));
  } finally {
    await infrastructure.nats.start();
  }
  await eventually(async () => expect(await readiness()).toMatchObject({ code: 200, status: 'ok' }), {
    timeoutMs: 15_000,
  });
});

test('with Postgres away it stays ready, tells who the site is, and goes on afterwards', async () => {
  await start();
  await infrastructure.postgres.kill();
  try {
    await eventually(async () => expect((await readiness()).reasons).toEqual(['database: does not answer']));
    await authorized('/internal/v1/identity');
    await chat.publish('later', 10, { mirrored: false });
    const until = Date.now() + 2_000;
    while (Date.now() < until) expect((await readiness()).code).toBe(200);
  } finally {
    await infrastructure.postgres.start();
  }
  await eventually(async () => expect(await position('later')).toBe(10), { timeoutMs: 15_000 });
});

test('with chat away it stays ready and beating, for longer than two beats', async () => {
  await start({ CHAT_URL: 'http://127.0.0.1:1' });
  const until = Date.now() + 4_000;
  while (Date.now() < until) {
    expect((await readiness()).code).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

test('a bad configuration names every bad key', async () => {
  const bad = boot({ ...environment, CHAT_URL: 'chat', INTERNAL_SECRET: 'short', DATABASE_URL: undefined });
  await expect(bad).rejects.toThrow(ConfigError);
  await expect(bad).rejects.toThrow(/INTERNAL_SECRET.*DATABASE_URL.*CHAT_URL/);
});

test('two replicas share one site and its log', async () => {
  const first = await start();
  const second = await boot(environment);
  try {
    const identityOf = async ({ internalUrl }: RunningService) => {
      const authorization = `Bearer ${await tokens.issue('federation')}`;
      return (await fetch(`${internalUrl}/internal/v1/identity`, { headers: { authorization } })).json();
    };
    expect(await identityOf(second)).toEqual(await identityOf(first));
    await chat.publish('shared', 500);
    await eventually(async () => expect(await position('shared')).toBe(500));
  } finally {
    await second.stop();
  }
});

test('it stops within its drain time, twice as well as once', async () => {
  const service = await start();
  const from = Date.now();
  await Promise.all([service.stop(), service.stop()]);
  expect(Date.now() - from).toBeLessThan(3_000);
  await expect(fetch(`${service.internalUrl}/livez`)).rejects.toThrow();
});
