import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accessClaimsSchema, mayPublish, type AccessClaims, type Session } from '@boardwire/contracts';
import { eventually } from '@boardwire/test-kit';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import { ChatSite, siteId, type ChatReplica } from './chat-site.ts';

let site: ChatSite;
let chat: ChatReplica;
let other: ChatReplica;

beforeAll(async () => {
  site = await ChatSite.start();
  [chat, other] = await Promise.all([site.replica(), site.replica()]);
}, 60_000);

afterAll(() => site?.stop(), 30_000);

const auth = (way: string, json: unknown, options: { address?: string } = {}) =>
  chat.call('POST', `/internal/v1/auth/${way}`, { json, ...options });

async function claimsOf({ accessToken }: Session): Promise<AccessClaims> {
  const { body } = await other.call<JSONWebKeySet>('GET', '/internal/v1/jwks.json');
  const { payload } = await jwtVerify(accessToken, createLocalJWKSet(body), { audience: 'boardwire', issuer: siteId });
  return accessClaimsSchema.parse(payload);
}

const identityOf = async (session: Session) => {
  const { sub, sid, roles } = await claimsOf(session);
  return { userId: sub, sessionId: sid, roles };
};

describe('access tokens', () => {
  it('are EdDSA, live 15 minutes, and verify by the keys that every replica shows', async () => {
    const session = await chat.signIn('guest', { nickname: 'token' });
    expect(decodeProtectedHeader(session.accessToken)).toMatchObject({ alg: 'EdDSA' });
    const claims = await claimsOf(session);
    expect(claims.exp - claims.iat).toBe(900);
    expect(Date.parse(session.expiresAt)).toBe(claims.exp * 1_000);
    expect(claims).toMatchObject({ sub: session.user.id, name: 'token', roles: ['guest'] });
    const { body } = await chat.call<JSONWebKeySet>('GET', '/internal/v1/jwks.json');
    expect(body.keys).toHaveLength(1);
    expect(body.keys[0]).not.toHaveProperty('d');
  });

  it('carry the rights of the role', async () => {
    const guest = await claimsOf(await chat.signIn('guest', { nickname: 'rights' }));
    const user = await claimsOf(await chat.signIn('register', { name: 'rights user', password: 'long enough' }));
    const admin = await claimsOf(await chat.signIn('login', { name: 'admin', password: 'the-admin-password' }));
    const rights = (subject: string, board = 'events') =>
      [guest, user, admin].map(({ boards }) => mayPublish(boards, board, subject));
    expect(rights('AxonChat')).toEqual([true, true, true]);
    expect(rights('AxonChat.lobby')).toEqual([true, true, true]);
    expect(rights('room.t_001.decision')).toEqual([false, true, true]);
    expect(rights('SystemAlert')).toEqual([false, false, true]);
    expect(rights('federation.peer.x', 'site')).toEqual([false, false, true]);
    const subscribes = (claims: AccessClaims, board: string) =>
      claims.boards.filter((grant) => [board, '*'].includes(grant.board)).flatMap(({ subscribe }) => subscribe);
    expect(subscribes(user, 'events')).toContain('>');
    expect(subscribes(user, 'site')).not.toContain('>');
    expect(subscribes(guest, 'site')).toEqual([]);
  });
});

describe('names', () => {
  it('are unique whatever their case or form, for guests and accounts alike', async () => {
    await chat.signIn('guest', { nickname: 'Straße' });
    await chat.signIn('register', { name: 'Ｗｉｄｅ', password: 'long enough' });
    for (const [way, json] of [
      ['guest', { nickname: 'STRAßE' }],
      ['guest', { nickname: 'wide' }],
      ['register', { name: 'straße', password: 'long enough' }],
      ['register', { name: 'WIDE', password: 'long enough' }],
      ['register', { name: 'Admin', password: 'long enough' }],
      ['guest', { nickname: 'ADMIN' }],
    ] as const) {
      expect(await auth(way, json)).toMatchObject({ status: 409, body: { code: 'name_taken' } });
    }
  });

  it('of a guest who has left are free again', async () => {
    const first = await chat.signIn('guest', { nickname: 'leaver' });
    expect((await auth('guest', { nickname: 'leaver' })).status).toBe(409);
    await chat.call('POST', '/internal/v1/auth/logout', { json: {}, identity: await identityOf(first) });
    const second = await chat.signIn('guest', { nickname: 'Leaver' });
    expect(second.user.id).not.toBe(first.user.id);
  });
});

describe('passwords', () => {
  it('log in, and tell neither by answer nor by status what was wrong', async () => {
    await chat.signIn('register', { name: 'bob', password: 'bob has a password' });
    const session = await other.signIn('login', { name: 'BOB', password: 'bob has a password' });
    expect(session.user.name).toBe('bob');
    const wrong = await auth('login', { name: 'bob', password: 'bob has another' });
    const unknown = await auth('login', { name: 'nobody', password: 'bob has another' });
    expect(wrong).toMatchObject({ status: 401, body: { code: 'credentials_refused' } });
    expect(unknown.body).toEqual(wrong.body);
  });

  it('are tried ten times a minute for a name from an address, and not by others in vain', async () => {
    await chat.signIn('register', { name: 'guessed', password: 'the right one' });
    const guess = (address: string, password: string) => auth('login', { name: 'Guessed', password }, { address });
    const statuses: number[] = [];
    for (let n = 0; n < 12; n += 1) statuses.push((await guess('192.0.2.1', `wrong ${n}`)).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429]);
    const limited = await guess('192.0.2.1', 'the right one');
    expect(limited).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await guess('192.0.2.2', 'the right one')).status).toBe(200);
  });

  it('of the administrator follow the configuration, which ends its sessions', async () => {
    const session = await chat.signIn('login', { name: 'admin', password: 'the-admin-password' });
    const { sid } = await claimsOf(session);
    const changed = await site.replica({ ADMIN_PASSWORD: 'another-admin-password' });
    expect((await changed.signIn('login', { name: 'admin', password: 'another-admin-password' })).user.roles).toEqual([
      'admin',
    ]);
    expect((await auth('login', { name: 'admin', password: 'the-admin-password' })).status).toBe(401);
    await eventually(async () => {
      expect((await chat.sync()).revocations.map(({ sessionId }) => sessionId)).toContain(sid);
    });
    const again = await site.replica();
    await again.signIn('login', { name: 'admin', password: 'the-admin-password' });
  });
});

describe('refresh tokens', () => {
  it('work once, and give the next', async () => {
    const first = await chat.signIn('guest', { nickname: 'refreshing' });
    const second = await other.signIn('refresh', { refreshToken: first.refreshToken });
    expect(second.user).toEqual(first.user);
    expect((await claimsOf(second)).sid).toBe((await claimsOf(first)).sid);
    const third = await chat.signIn('refresh', { refreshToken: second.refreshToken });
    expect(third.refreshToken).not.toBe(second.refreshToken);
  });

  it('that come a second time end the session, the thief’s and the owner’s', async () => {
    const first = await chat.signIn('guest', { nickname: 'robbed' });
    const { sid } = await claimsOf(first);
    const second = await chat.signIn('refresh', { refreshToken: first.refreshToken });
    const stolen = await chat.signIn('refresh', { refreshToken: second.refreshToken });
    expect(await auth('refresh', { refreshToken: first.refreshToken })).toMatchObject({
      status: 401,
      body: { code: 'token_revoked' },
    });
    expect((await auth('refresh', { refreshToken: stolen.refreshToken })).status).toBe(401);
    await eventually(async () => {
      expect((await other.sync()).revocations.map(({ sessionId }) => sessionId)).toContain(sid);
    });
  });

  it('that come again in a moment, when the answer was lost, get the same answer; once that is used, they don’t', async () => {
    const first = await chat.signIn('guest', { nickname: 'unlucky' });
    const lost = await chat.signIn('refresh', { refreshToken: first.refreshToken });
    const again = await other.signIn('refresh', { refreshToken: first.refreshToken });
    expect(again.refreshToken).toBe(lost.refreshToken);
    expect((await claimsOf(again)).sid).toBe((await claimsOf(first)).sid);
    await chat.signIn('refresh', { refreshToken: again.refreshToken });
    expect((await auth('refresh', { refreshToken: first.refreshToken })).status).toBe(401);
  });

  it('that come again after the moment of grace end the session', async () => {
    const first = await chat.signIn('guest', { nickname: 'late' });
    const second = await chat.signIn('refresh', { refreshToken: first.refreshToken });
    await site.query("UPDATE refresh_token SET used_at = used_at - interval '31 seconds'");
    expect((await auth('refresh', { refreshToken: first.refreshToken })).status).toBe(401);
    expect((await auth('refresh', { refreshToken: second.refreshToken })).status).toBe(401);
  });

  it('presented by two at once give both the same step', async () => {
    const { refreshToken } = await chat.signIn('guest', { nickname: 'racing' });
    const refresh = (replica: ChatReplica) =>
      replica.call('POST', '/internal/v1/auth/refresh', { json: { refreshToken } });
    const answers = await Promise.all([refresh(chat), refresh(other), refresh(chat)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ body }) => body['refreshToken'])).size).toBe(1);
  });

  it('that are made up are refused', async () => {
    expect(await auth('refresh', { refreshToken: 'x'.repeat(43) })).toMatchObject({
      status: 401,
      body: { code: 'token_invalid' },
    });
  });
});

describe('logout', () => {
  it('is told by every replica’s sync within a second, and is harmless to repeat', async () => {
    const session = await chat.signIn('guest', { nickname: 'leaving' });
    const identity = await identityOf(session);
    let { version } = await other.sync();
    const began = performance.now();
    expect((await chat.call('POST', '/internal/v1/auth/logout', { json: {}, identity })).status).toBe(204);
    await eventually(async () => {
      const changed = await other.sync(version, 500);
      version = changed.version;
      expect(changed.revocations).toMatchObject([{ sessionId: identity.sessionId, userId: identity.userId }]);
    });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect((await chat.call('POST', '/internal/v1/auth/logout', { identity })).status).toBe(204);
    expect((await auth('refresh', { refreshToken: session.refreshToken })).status).toBe(401);
  });

  it('works by the refresh token alone when the access token has run out', async () => {
    const { refreshToken } = await chat.signIn('guest', { nickname: 'expired' });
    expect((await auth('logout', { refreshToken })).status).toBe(204);
    expect((await auth('refresh', { refreshToken })).status).toBe(401);
    expect((await auth('logout', {})).status).toBe(401);
  });
});

describe('who acts', () => {
  it('is told by the gateway alone', async () => {
    const { user } = await chat.signIn('guest', { nickname: 'myself' });
    const identity = { userId: user.id, roles: ['guest'] };
    expect((await chat.call('GET', '/internal/v1/auth/me', { identity })).body).toEqual(user);
    expect((await chat.call('GET', '/internal/v1/auth/me', { identity, caller: 'applets' })).status).toBe(403);
    expect((await chat.call('GET', '/internal/v1/auth/me')).status).toBe(401);
  });

  it('must be an administrator for boards and for accounts of other roles', async () => {
    const json = { slug: 'theirs', title: 'Theirs' };
    const guest = { userId: 'g', roles: ['guest'] };
    const admin = { userId: 'a', roles: ['admin'] };
    expect((await chat.call('POST', '/internal/v1/boards', { json, identity: guest })).status).toBe(403);
    expect((await chat.call('POST', '/internal/v1/boards', { json, identity: admin })).status).toBe(201);
    expect(await chat.call('POST', '/internal/v1/boards', { json, identity: admin })).toMatchObject({
      status: 409,
      body: { code: 'board_exists' },
    });
    const account = { name: 'program', password: 'long enough', roles: ['publisher'] };
    const create = (identity: { userId: string; roles: string[] }) =>
      chat.call('POST', '/internal/v1/auth/accounts', { json: account, identity });
    expect((await create(guest)).status).toBe(403);
    expect((await create(admin)).status).toBe(201);
    const program = await chat.signIn('login', { name: 'program', password: 'long enough' });
    expect(mayPublish((await claimsOf(program)).boards, 'theirs', 'anything.at.all')).toBe(true);
  });
});

describe('the key that signs tokens', () => {
  it('tells its age; one that an operator retires is replaced at the next start, and its tokens stay good', async () => {
    const age = (replica: ChatReplica) => replica.metric('boardwire_token_key_age_seconds');
    expect(await age(chat)).toBeLessThan(600);
    await site.query(`UPDATE signing_key SET created_at = now() - interval '500 days'`);
    const late = await site.replica();
    expect(Math.floor((await age(late)) / 86_400)).toBe(500);
    const before = await late.signIn('guest', { nickname: 'before' });
    // As whoever can write in the database could, without the operator's command.
    await site.query('UPDATE chat.signing_key SET retired_at = now() WHERE retired_at IS NULL');
    const next = await site.replica();
    expect(await age(next)).toBeLessThan(600);
    const after = await next.signIn('guest', { nickname: 'after' });
    const [former, current] = [before, after].map(({ accessToken }) => decodeProtectedHeader(accessToken).kid);
    expect(current).not.toBe(former);
    expect((await claimsOf(before)).name).toBe('before');
    expect((await claimsOf(after)).name).toBe('after');
  });
});

describe('guests', () => {
  it('are refused where the site takes none', async () => {
    const closed = await site.replica({ GUESTS: 'off' });
    expect(await closed.call('POST', '/internal/v1/auth/guest', { json: { nickname: 'closed' } })).toMatchObject({
      status: 403,
      body: { code: 'guests_off' },
    });
  });
});

describe('decisions', () => {
  it('reach audit numbered without a hole, also those taken while audit was down', async () => {
    site.auditIsUp = false;
    await chat.signIn('guest', { nickname: 'unheard' });
    await auth('login', { name: 'nobody at all', password: 'wrong' });
    site.auditIsUp = true;
    await eventually(() => {
      const actions = site.decisions.map(({ action, outcome, actor }) => `${action} ${outcome} ${actor}`);
      expect(actions).toContain('account.login refused nobody at all');
    });
    const numbers = [...new Set(site.decisions.map(({ number }) => number))].toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, n) => n + 1));
    const actions = new Set(site.decisions.map(({ action }) => action));
    expect([...actions]).toEqual(
      expect.arrayContaining([
        'account.guest',
        'account.register',
        'account.login',
        'account.logout',
        'session.revoke',
      ]),
    );
    expect([...actions]).toEqual(expect.arrayContaining(['board.create', 'account.create', 'account.password']));
  });
});
