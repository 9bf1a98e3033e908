import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  historyPageSchema,
  memberListSchema,
  ticketAnswerSchema,
  ticketUseAnswerSchema,
  type Membership,
  type SyncResponse,
  type TicketUseRequest,
} from '@boardwire/contracts';
import { eventually } from '@boardwire/test-kit';
import { decodeJwt } from 'jose';
import { ChatSite, event, siteId, type ChatReplica } from './chat-site.ts';

let site: ChatSite;
let chat: ChatReplica;
let other: ChatReplica;

beforeAll(async () => {
  site = await ChatSite.start();
  [chat, other] = await Promise.all([site.replica(), site.replica()]);
}, 60_000);

afterAll(() => site?.stop(), 30_000);

const admin = { userId: 'a', roles: ['admin'] };
const members = '/internal/v1/boards/events/members';
const set = (userId: string, subjects: string[]) =>
  chat.call('PUT', `${members}/${userId}`, { json: { subjects }, identity: admin });

/** What a replica tells from a version on, until it has told `isThere`; with the time that took. */
async function told(
  since: string,
  isThere: (changes: SyncResponse) => boolean,
): Promise<{ changes: SyncResponse; ms: number }> {
  const began = performance.now();
  let version = since;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- long polls follow each other
    const changes = await other.sync(version, 500);
    if (isThere(changes)) return { changes, ms: performance.now() - began };
    if (performance.now() - began > 5_000) throw new Error('never told');
    version = changes.version;
  }
}

describe('memberships', () => {
  it('are told by the sync of every replica within a second, whole and by change', async () => {
    const { version } = await other.sync();
    expect((await set('ana', ['dm.ana', 'dm.bob', 'dm.ana'])).body).toEqual({
      board: 'events',
      userId: 'ana',
      subjects: ['dm.ana', 'dm.bob'],
    });
    const first = await told(version, ({ memberships }) => memberships?.length === 1);
    expect(first.ms).toBeLessThan(1_000);
    expect(first.changes.memberships).toEqual([{ board: 'events', userId: 'ana', subjects: ['dm.ana', 'dm.bob'] }]);
    expect((await other.sync()).memberships).toEqual(first.changes.memberships);
    expect((await chat.call('DELETE', `${members}/ana`, { identity: admin })).status).toBe(204);
    const second = await told(first.changes.version, ({ memberships }) => memberships?.length === 1);
    expect(second.changes.memberships).toEqual([{ board: 'events', userId: 'ana', subjects: [] }]);
    expect((await other.sync()).memberships).toEqual([]);
    expect((await chat.call('DELETE', `${members}/ana`, { identity: admin })).status).toBe(204);
  });

  it('are set by administrators and by services, listed in pages, and recorded', async () => {
    for (const userId of ['m1', 'm2', 'm3']) expect((await set(userId, ['dm.x'])).status).toBe(200);
    const page = memberListSchema.parse((await chat.call('GET', `${members}?limit=2`)).body);
    expect(page.members.map(({ userId }) => userId)).toEqual(['m1', 'm2']);
    const rest = memberListSchema.parse((await chat.call('GET', `${members}?limit=2&after=${page.next}`)).body);
    expect([rest.members.map(({ userId }) => userId), rest.next]).toEqual([['m3'], null]);
    expect((await chat.call('GET', `${members}/nobody`)).status).toBe(404);
    expect((await chat.call('PUT', `${members}/m4`, { json: { subjects: ['dm.x'] }, caller: 'applets' })).status).toBe(
      200,
    );
    const guest = { userId: 'g', roles: ['guest'] };
    expect((await chat.call('PUT', `${members}/g`, { json: { subjects: ['>'] }, identity: guest })).status).toBe(403);
    expect((await chat.call('PUT', `${members}/a%20b`, { json: { subjects: [] }, identity: admin })).status).toBe(400);
    expect((await set('m1', ['not a subject'])).status).toBe(400);
    expect(
      (
        await set(
          'm1',
          Array.from({ length: 257 }, (_, n) => `dm.${n}`),
        )
      ).status,
    ).toBe(400);
    const path = '/internal/v1/boards/nowhere/members/m1';
    expect((await chat.call('PUT', path, { json: { subjects: [] }, identity: admin })).status).toBe(404);
    await eventually(() => {
      const actions = site.decisions.map(({ action, actor }) => `${action} ${actor}`);
      expect(actions).toEqual(expect.arrayContaining(['member.set a', 'member.set applets', 'member.end a']));
    });
  });

  it('come in pages when there are many, none lost that change between two of them', async () => {
    const many = Array.from({ length: 250 }, (_, n) => `p${n}`);
    const subjects = Array.from({ length: 200 }, (_, n) => `dm.long.${n}`);
    await site.query(
      `INSERT INTO membership (board_id, user_id, subjects) SELECT 8, 'p' || n, ARRAY(SELECT 'dm.long.' || s
       FROM generate_series(0, 199) s) FROM generate_series(0, 249) n`,
    );
    const fresh = await site.replica();
    const known = new Map<string, Membership>();
    const learn = ({ memberships = [] }: SyncResponse) => memberships.forEach((one) => known.set(one.userId, one));
    let answer = await fresh.sync();
    expect(answer).toMatchObject({ full: true, more: true });
    learn(answer);
    await set('p0', ['dm.changed']);
    await set('p249', ['dm.changed']);
    let pages = 1;
    while (answer.more === true) {
      answer = await fresh.sync(answer.version);
      expect(answer.full).toBe(false);
      learn(answer);
      pages += 1;
    }
    expect(pages).toBeGreaterThan(2);
    await eventually(async () => {
      answer = await fresh.sync(answer.version, 100);
      learn(answer);
      expect([known.get('p0')?.subjects, known.get('p249')?.subjects]).toEqual([['dm.changed'], ['dm.changed']]);
    });
    for (const userId of many.slice(1, -1)) expect(known.get(userId)?.subjects).toEqual(subjects);
  }, 30_000);

  it('decide what history and state of members’ subjects are for whom', async () => {
    await chat.outcomes(
      'events',
      ['AxonChat.open', 'dm.ana', 'dm.bob'].map((subject) => event({ subject })),
    );
    const read = async (subjects: string[], memberSubjects?: string[]) => {
      const json = { subjects, ...(memberSubjects && { memberSubjects }), limit: 10, countMax: 100 };
      const { body } = await chat.call('POST', '/internal/v1/boards/events/history', { json });
      const { items, count, more } = historyPageSchema.parse(body);
      return [items.map(({ subject }) => subject).toSorted(), count, more];
    };
    expect(await read(['>'])).toEqual([['AxonChat.open', 'dm.ana', 'dm.bob'], 3, false]);
    expect(await read(['>'], [])).toEqual([['AxonChat.open'], 1, false]);
    expect(await read(['>'], ['dm.ana'])).toEqual([['AxonChat.open', 'dm.ana'], 2, false]);
    expect(await read(['dm.bob'], ['dm.ana'])).toEqual([['dm.ana'], 1, false]);
    expect(await read([], ['dm.*', 'AxonChat.>'])).toEqual([['dm.ana', 'dm.bob'], 2, false]);
    expect(await read([], [])).toEqual([[], 0, false]);
  });
});

describe('ignores', () => {
  const path = '/internal/v1/me/ignores';
  const as = (userId: string) => ({ identity: { userId } });
  const ignore = (userId: string, author: string) =>
    chat.call('PUT', `${path}/${encodeURIComponent(author)}`, as(userId));
  const listed = async (userId: string) => (await other.call('GET', path, as(userId))).body['authors'];
  const afar = `bea@bs1${'b'.repeat(52)}`;
  const here = (userId: string) => `${userId}@${siteId}`;

  it('are told by the sync of every replica, whole and by change', async () => {
    const { version } = await other.sync();
    expect((await ignore('ana', 'eve')).status).toBe(204);
    const { changes } = await told(version, ({ ignores }) => ignores?.length === 1);
    expect(changes.ignores).toEqual([{ userId: 'ana', authors: [here('eve')] }]);
    // However one's own site is named, it is one author.
    for (const again of [here('eve'), afar]) expect((await ignore('ana', again)).status).toBe(204);
    expect(await listed('ana')).toEqual([afar, 'eve'].toSorted());
    expect(await listed('eve')).toEqual([]);
    await eventually(async () => {
      expect((await other.sync()).ignores).toEqual([{ userId: 'ana', authors: [afar, here('eve')].toSorted() }]);
    });
    for (const author of ['eve', afar, 'nobody']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await chat.call('DELETE', `${path}/${author}`, as('ana'))).status).toBe(204);
    }
    await eventually(async () => expect((await other.sync()).ignores).toEqual([]));
    await eventually(() => {
      const of = site.decisions.filter(({ action }) => action.startsWith('ignore.'));
      // A delivery may be repeated.
      const numbers = new Map(of.map(({ number, action, actor }) => [number, `${action} ${actor}`]));
      const [set, end] = ['ignore.set ana', 'ignore.end ana'];
      expect([...numbers.values()]).toEqual([set, set, end, end]);
    });
  });

  it('are refused of oneself, of what is no author, of nobody behind the gateway, and above a rate', async () => {
    for (const author of ['ben', here('ben'), 'eve@nowhere', `@bs1${'b'.repeat(52)}`, 'a'.repeat(257)]) {
      // oxlint-disable-next-line no-await-in-loop
      expect([author, (await ignore('ben', author)).body['code']]).toEqual([author, 'invalid']);
    }
    expect((await chat.call('PUT', `${path}/eve`)).status).toBe(401);
    expect(await listed('ben')).toEqual([]);
    let refused = 0;
    const end = () => chat.call('DELETE', `${path}/eve`, as('busy'));
    for (let sent = 0; sent < 320; sent += 32) {
      // oxlint-disable-next-line no-await-in-loop -- a few at a time
      const answers = await Promise.all(Array.from({ length: 32 }, end));
      refused += answers.filter(({ status }) => status === 429).length;
    }
    expect(refused).toBe(20);
  });

  it('come in pages when there are many, beside memberships', async () => {
    await site.query(
      `INSERT INTO ignored (user_id, author) SELECT 'i' || n, 'a' || a || '@${siteId}'
       FROM generate_series(0, 249) n, generate_series(0, 199) a`,
    );
    const fresh = await site.replica();
    const known = new Map<string, number>();
    const members = new Set<string>();
    let answer = await fresh.sync();
    let pages = 1;
    for (;;) {
      for (const { userId, authors } of answer.ignores ?? []) known.set(userId, authors.length);
      for (const { userId } of answer.memberships ?? []) members.add(userId);
      if (answer.more !== true) break;
      // oxlint-disable-next-line no-await-in-loop -- pages follow each other
      answer = await fresh.sync(answer.version);
      pages += 1;
    }
    expect(pages).toBeGreaterThan(2);
    expect([...known.values()]).toEqual(Array.from({ length: 250 }, () => 200));
    const [count] = await site.query<{ count: number }>('SELECT count(DISTINCT user_id) AS count FROM membership');
    expect(members.size).toBe(count!.count);
  }, 30_000);
});

describe('accounts', () => {
  it('get other roles, which sync tells in place of older tokens', async () => {
    const { user } = await chat.signIn('register', { name: 'rising', password: 'long enough' });
    const { version } = await other.sync();
    const change = (json: unknown, identity = admin) =>
      chat.call('PATCH', `/internal/v1/auth/accounts/${user.id}`, { json, identity });
    expect((await change({ roles: ['admin'] }, { userId: user.id, roles: ['user'] })).status).toBe(403);
    expect((await change({ roles: ['guest'] })).status).toBe(400);
    expect((await change({ roles: ['auditor'] })).body).toMatchObject({ roles: ['auditor'], disabled: false });
    const { changes, ms } = await told(version, ({ changedRights }) => changedRights?.length === 1);
    expect(ms).toBeLessThan(1_000);
    expect(changes.changedRights).toMatchObject([
      { userId: user.id, roles: ['auditor'], boards: [{ board: '*', publish: [], subscribe: ['>'] }] },
    ]);
    const again = await chat.signIn('login', { name: 'rising', password: 'long enough' });
    expect(decodeJwt(again.accessToken)['roles']).toEqual(['auditor']);
  });

  it('that are disabled lose their sessions and may not sign in until they are enabled', async () => {
    const session = await chat.signIn('register', { name: 'gone', password: 'long enough' });
    const path = `/internal/v1/auth/accounts/${session.user.id}`;
    expect((await chat.call('PATCH', path, { json: { disabled: true }, identity: admin })).status).toBe(200);
    const login = () =>
      chat.call('POST', '/internal/v1/auth/login', { json: { name: 'gone', password: 'long enough' } });
    expect(await login()).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const refresh = await chat.call('POST', '/internal/v1/auth/refresh', {
      json: { refreshToken: session.refreshToken },
    });
    expect(refresh.status).toBe(401);
    await eventually(async () => {
      const { revocations, changedRights } = await other.sync();
      expect(revocations.map(({ userId }) => userId)).toContain(session.user.id);
      expect(changedRights?.find(({ userId }) => userId === session.user.id)).toMatchObject({ roles: [], boards: [] });
    });
    await chat.call('PATCH', path, { json: { disabled: false }, identity: admin });
    expect((await login()).status).toBe(200);
  });

  it('of the configuration’s administrator, of guests and of nobody are not changed', async () => {
    const session = await chat.signIn('login', { name: 'admin', password: 'the-admin-password' });
    const guest = await chat.signIn('guest', { nickname: 'plain' });
    const change = (id: string) =>
      chat.call('PATCH', `/internal/v1/auth/accounts/${id}`, { json: { roles: ['user'] }, identity: admin });
    expect((await change(session.user.id)).status).toBe(409);
    expect((await change(guest.user.id)).status).toBe(409);
    expect((await change('nobody')).status).toBe(404);
  });
});

describe('stream tickets', () => {
  const forStream = { transport: 'sse', board: 'events', subjects: ['b', 'a', 'a'] } as const;

  async function issue(wanted: unknown, nickname = `ticket ${Math.random()}`) {
    const session = await chat.signIn('guest', { nickname });
    const { sid } = decodeJwt(session.accessToken) as { sid: string };
    const identity = { userId: session.user.id, sessionId: sid, roles: ['guest'] };
    const answer = await chat.call('POST', '/internal/v1/stream-tickets', { json: wanted, identity });
    expect(answer.status).toBe(201);
    return { ...ticketAnswerSchema.parse(answer.body), identity, session };
  }
  const ofStream = (ticket: string): TicketUseRequest => ({
    ticket,
    transport: 'sse',
    board: 'events',
    subjects: ['a', 'b'],
  });
  const use = (request: TicketUseRequest, replica = chat) =>
    replica.call('POST', '/internal/v1/stream-tickets/use', { json: request });

  it('for a stream work again and again on every replica, counted, with the rights of now', async () => {
    const { ticket, session, identity } = await issue(forStream);
    const request = ofStream(ticket);
    const first = ticketUseAnswerSchema.parse((await use(request)).body);
    expect(first).toMatchObject({ userId: session.user.id, sessionId: identity.sessionId, use: 1, roles: ['guest'] });
    expect(Date.parse(first.sessionEndsAt)).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect((await use(request, other)).body).toMatchObject({ use: 2 });
    const uses = await Promise.all([chat, other, chat, other].map((replica) => use(request, replica)));
    expect(uses.map(({ body }) => body['use'] as number).toSorted((a, b) => a - b)).toEqual([3, 4, 5, 6]);
  });

  it('are for their board, their subjects and their transport', async () => {
    const { ticket } = await issue(forStream);
    const refused = async (request: TicketUseRequest) => (await use(request)).body['code'];
    expect(await refused({ ticket, transport: 'sse', board: 'forum', subjects: ['a', 'b'] })).toBe('forbidden');
    expect(await refused({ ticket, transport: 'sse', board: 'events', subjects: ['a'] })).toBe('forbidden');
    expect(await refused({ ticket, transport: 'ws' })).toBe('ticket_refused');
    expect(await refused({ ticket: `${ticket}x`, transport: 'ws' })).toBe('ticket_refused');
    expect((await use({ ticket, transport: 'sse', board: 'events', subjects: ['a', 'b'] })).body['use']).toBe(1);
  });

  it('for a socket work once, also for two who use one at the same time', async () => {
    const { ticket } = await issue({ transport: 'ws' });
    const uses = await Promise.all([chat, other, chat].map((replica) => use({ ticket, transport: 'ws' }, replica)));
    expect(uses.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
  });

  it('end with their session, with its account, and unused after half a minute', async () => {
    const ended = await issue(forStream);
    await chat.call('POST', '/internal/v1/auth/logout', { json: {}, identity: ended.identity });
    expect((await use(ofStream(ended.ticket))).status).toBe(401);
    const again = await chat.call('POST', '/internal/v1/stream-tickets', { json: forStream, identity: ended.identity });
    expect(again).toMatchObject({ status: 401, body: { code: 'token_revoked' } });
    const [used, unused] = [await issue(forStream), await issue(forStream)];
    expect((await use(ofStream(used.ticket))).status).toBe(200);
    await site.query("UPDATE stream_ticket SET first_use_by = first_use_by - interval '31 seconds'");
    expect((await use(ofStream(used.ticket))).status).toBe(200);
    expect((await use(ofStream(unused.ticket))).status).toBe(401);
  });

  it('are at most 64 for a session: the one longest of no use goes', async () => {
    const { ticket, identity } = await issue(forStream);
    const more = async () => {
      const { body } = await chat.call('POST', '/internal/v1/stream-tickets', { json: forStream, identity });
      return ticketAnswerSchema.parse(body).ticket;
    };
    const idle = await more();
    await use(ofStream(ticket));
    for (let count = 0; count < 63; count += 1) await more();
    expect((await use(ofStream(ticket))).status).toBe(200);
    expect((await use(ofStream(idle))).status).toBe(401);
  });

  it('are for sessions of this site and boards that there are, and used by gateways alone', async () => {
    const foreign = { userId: 'idp:x', sessionId: 'idp:x', roles: ['user'] };
    const answer = await chat.call('POST', '/internal/v1/stream-tickets', { json: forStream, identity: foreign });
    expect(answer.status).toBe(403);
    const { ticket, identity } = await issue({ transport: 'ws' });
    const json = { ...forStream, board: 'nowhere' };
    expect((await chat.call('POST', '/internal/v1/stream-tickets', { json, identity })).status).toBe(404);
    const asApplet = { json: { ticket, transport: 'ws' }, caller: 'applets' };
    expect((await chat.call('POST', '/internal/v1/stream-tickets/use', asApplet)).status).toBe(403);
  });
});
