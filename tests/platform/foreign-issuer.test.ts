import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, SseReader } from '@boardwire/test-kit';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { call } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

/** Somebody else's issuer: a few lines of HTTP and keys of its own. */
class Issuer {
  readonly keys = new Map<string, { alg: string; privateKey: CryptoKey; jwk: JWK }>();
  asked = 0;
  isUp = true;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Issuer> {
    const server = createServer();
    const issuer = new Issuer(server);
    server.on('request', (_request, response) => {
      issuer.asked += 1;
      response.writeHead(issuer.isUp ? 200 : 500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: [...issuer.keys.values()].map(({ jwk }) => jwk) }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    for (const alg of ['ES256', 'RS256', 'EdDSA']) await issuer.addKey(alg, alg);
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async addKey(kid: string, alg: string): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    this.keys.set(kid, { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } });
  }

  sign(claims: JWTPayload = {}, kid = 'ES256', expires = '5m'): Promise<string> {
    const { alg, privateKey } = this.keys.get(kid)!;
    return new SignJWT({ sub: 'ana', name: 'Ana Elsewhere', ...claims })
      .setProtectedHeader({ alg, kid })
      .setIssuer((claims.iss as string | undefined) ?? this.url)
      .setAudience((claims.aud as string | undefined) ?? 'boardwire')
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(privateKey);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

let site: TestSite;
let issuer: Issuer;
let stranger: Issuer;

beforeAll(async () => {
  [issuer, stranger] = await Promise.all([Issuer.start(), Issuer.start()]);
  const trusted = {
    issuer: issuer.url,
    jwksUrl: `${issuer.url}/jwks.json`,
    slug: 'idp',
    algorithms: ['ES256', 'EdDSA'],
    roles: ['user', 'publisher'],
    boards: [{ board: 'events', publish: ['GameScore.>'], subscribe: ['GameScore.>', 'AxonChat.>'] }],
  };
  site = await startTestSite({ env: { TRUSTED_ISSUERS: JSON.stringify([trusted]), TRUSTED_PROXIES: 'loopback' } });
}, 60_000);
afterAll(async () => {
  await site?.stop();
  await Promise.all([issuer?.close(), stranger?.close()]);
}, 30_000);

const events = () => `${site.url}/v1/boards/events/events`;
const read = async (token: string, subject = 'AxonChat.lobby') =>
  (await call(`${events()}?subject=${subject}`, { token })).status;
const post = (token: string, subject: string) =>
  call<{ id: string; code?: string }>(events(), { token, json: { subject, type: 'note', data: {} } });

describe('a trusted issuer’s token', () => {
  test('lets its bearer read and write as far as the configuration says, under an id of its own', async () => {
    const token = await issuer.sign();
    expect((await post(token, 'GameScore.a')).status).toBe(201);
    expect((await post(token, 'AxonChat.lobby')).status).toBe(403);
    expect(await read(token)).toBe(200);
    expect(await read(token, 'SystemAlert.x')).toBe(403);
    expect((await call(`${site.url}/v1/boards/site/events`, { token })).status).toBe(403);
    const page = await call<{ events: { author: string; authorname: string; source: string }[] }>(
      `${events()}?subject=GameScore.a`,
      { token },
    );
    expect(page.body.events[0]).toMatchObject({ author: 'idp:ana', authorname: 'Ana Elsewhere' });
  });

  test('can ask for less by its claims, never for more', async () => {
    const some = await issuer.sign({ boards: [{ board: '*', publish: ['>'], subscribe: ['AxonChat.lobby'] }] });
    expect([await read(some), await read(some, 'GameScore.a')]).toEqual([200, 403]);
    expect((await post(some, 'AxonChat.lobby')).status).toBe(403);
    expect((await post(some, 'GameScore.a')).status).toBe(201);
    const none = await issuer.sign({ boards: [{ board: 'forum', publish: ['>'], subscribe: ['>'] }] });
    expect(await read(none)).toBe(403);
    const admin = await issuer.sign({ roles: ['admin', 'auditor', 'user'] });
    const json = { slug: 'theirs', title: 'Theirs' };
    expect((await call(`${site.url}/v1/boards`, { token: admin, json })).status).toBe(403);
    expect((await call(`${site.url}/v1/audit/health`, { token: admin })).status).toBe(403);
  });

  test('can’t be taken for an account’s of this site, and becomes a member under its own id', async () => {
    const { id } = await site.admin();
    const token = await issuer.sign({ sub: id });
    const answer = await call<{ events: unknown[] }>(`${events()}?subject=AxonChat.lobby`, { token });
    expect(answer.status).toBe(200);
    expect((await call(`${site.url}/v1/boards/events/members/${id}`, { token })).status).toBe(403);
    const odd = await issuer.sign({ sub: 'auth0|ana smith' });
    expect(await read(odd, 'dm.x')).toBe(403);
    const member = `idp:auth0%7Cana%20smith`;
    const url = `${site.url}/v1/boards/events/members/${encodeURIComponent(member)}`;
    const { token: adminToken } = await site.admin();
    expect((await call(url, { method: 'PUT', token: adminToken, json: { subjects: ['dm.x'] } })).status).toBe(200);
    await eventually(async () => expect(await read(odd, 'dm.x')).toBe(200));
    expect((await post(odd, 'dm.x')).status).toBe(201);
    const ticket = await call(`${site.url}/v1/stream-tickets`, { token: odd, json: { board: 'events' } });
    expect(ticket.status).toBe(403);
  });

  test('says who its bearer is; its session is not this site’s to end', async () => {
    const token = await issuer.sign();
    const me = await call(`${site.url}/v1/auth/me`, { token });
    expect(me).toMatchObject({ status: 200, body: { id: 'idp:ana', name: 'Ana Elsewhere', roles: ['user'] } });
    expect((await call(`${site.url}/v1/auth/logout`, { token, json: {} })).status).toBe(403);
  });

  test('is refused when it is unsigned, signed by others, with another algorithm, for others or too old', async () => {
    const good = await issuer.sign();
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [, payload] = good.split('.') as [string, string];
    const secret = new TextEncoder().encode(JSON.stringify(issuer.keys.get('ES256')!.jwk));
    const symmetric = new SignJWT({ sub: 'ana' })
      .setProtectedHeader({ alg: 'HS256', kid: 'ES256' })
      .setIssuer(issuer.url)
      .setAudience('boardwire')
      .setExpirationTime('5m')
      .sign(secret);
    const bad = {
      'no algorithm': `${part({ alg: 'none' })}.${payload}.`,
      'a shared secret': await symmetric,
      'an algorithm that is not allowed': await issuer.sign({}, 'RS256'),
      'keys of somebody else': await stranger.sign({ iss: issuer.url }),
      'an issuer that nobody trusts': await stranger.sign(),
      'another audience': await issuer.sign({ aud: 'elsewhere' }),
      'a time that is over': await issuer.sign({}, 'ES256', '-2m'),
      'a changed payload': `${good.split('.')[0]}.${part({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'eve' })}.${good.split('.')[2]}`,
      'no subject': await issuer.sign({ sub: '' }),
      'a subject that is too long': await issuer.sign({ sub: 'x'.repeat(200) }),
    };
    for (const [why, token] of Object.entries(bad)) expect([why, await read(token)]).toEqual([why, 401]);
    expect(await read(await issuer.sign({}, 'EdDSA'))).toBe(200);
  });

  test('signed by a new key is taken soon; made-up keys don’t make this site ask again and again', async () => {
    await read(await issuer.sign());
    const before = issuer.asked;
    for (let at = 0; at < 20; at += 1) {
      const key = `made-up-${at}`;
      issuer.keys.set(key, issuer.keys.get('ES256')!);
      const token = await issuer.sign({}, key);
      issuer.keys.delete(key);
      expect(
        await read(
          token.replace(/^[^.]+/, Buffer.from(JSON.stringify({ alg: 'ES256', kid: key })).toString('base64url')),
        ),
      ).toBe(401);
    }
    expect(issuer.asked - before).toBeLessThanOrEqual(1);
    await issuer.addKey('new', 'ES256');
    const rotated = await issuer.sign({}, 'new');
    await eventually(async () => expect(await read(rotated)).toBe(200), { timeoutMs: 10_000 });
  }, 20_000);

  test('ends its stream when it runs out', async () => {
    const token = await issuer.sign({}, 'ES256', '2s');
    const stream = await SseReader.open(`${site.url}/v1/boards/events/stream?subject=AxonChat.>`, { token });
    await stream.until(({ event }) => event === 'caught_up');
    await stream.until(({ event }) => event === 'revoked', { timeoutMs: 5_000 });
  }, 10_000);
});

test('behind a proxy that is named, clients are told apart by the address that it passes on', async () => {
  const guess = async (address: string) => {
    const json = { name: 'nobody here', password: 'wrong' };
    return (await call(`${site.url}/v1/auth/login`, { json, headers: { 'x-forwarded-for': address } })).status;
  };
  const statuses: number[] = [];
  for (let count = 0; count < 12; count += 1) statuses.push(await guess('198.51.100.7'));
  expect(statuses.slice(-1)).toEqual([429]);
  expect(await guess('198.51.100.8')).toBe(401);
  // What a client writes itself stands in front of what the proxy adds.
  expect(await guess('203.0.113.9, 198.51.100.7')).toBe(429);
}, 20_000);
