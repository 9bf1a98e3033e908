import {
  decodeInvitation,
  encodeIdentity,
  encodeInvitation,
  fingerprintOf,
  internalHeaders,
  type FederationPeer,
  type FederationRoom,
  type FederationSite,
  type InviteAnswer,
  type OpenInvitation,
} from '@boardwire/contracts';
import { DecisionOutbox, openDatabase, provisionSchemas, type Database } from '@boardwire/database';
import { boot } from '@boardwire/federation';
import { ServiceTokens, type RunningService } from '@boardwire/service-kit';
import { startTestInfrastructure, type TestInfrastructure } from '@boardwire/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { migrations } from '../src/migrations.ts';
import { InvitationStore } from '../src/peers/invitation-store.ts';
import { PeerStore } from '../src/peers/peer-store.ts';
import { ChatStandIn } from './chat-stand-in.ts';
import { logger } from './feeds-fixture.ts';
import { RemoteSite } from './remote-site.ts';

const secret = 's'.repeat(32);
const elsewhere = `br1${'q'.repeat(52)}`;
const operator = 'u-operator';

let infrastructure: TestInfrastructure;
let chat: ChatStandIn;
let running: RunningService;
let database: Database;

beforeAll(async () => {
  infrastructure = await startTestInfrastructure();
  chat = await ChatStandIn.start(infrastructure, secret);
  for (const board of ['events', 'other', 'site']) chat.logs.append(board, 0);
  const schemas = [{ schema: 'federation', role: 'boardwire_federation', password: 'p' }];
  const url = (await provisionSchemas(infrastructure.env.DATABASE_URL, schemas))['federation']!;
  running = await boot({
    ...infrastructure.env,
    NODE_ENV: 'test',
    LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
    INTERNAL_SECRET: secret,
    DATABASE_URL: url,
    CHAT_URL: chat.url,
    PUBLIC_URL: 'https://site.example',
    SITE_NAME: 'Here',
  });
  database = await openDatabase({ url, schema: 'federation', migrations, logger });
}, 60_000);
afterAll(async () => {
  await database?.close();
  await running?.stop();
  await chat?.close();
  await infrastructure?.stop();
});
beforeEach(async () => {
  await database.query('TRUNCATE room, feed, feed_item, evidence, handover, peer, invitation, decision_outbox CASCADE');
});

interface Answer<T> {
  status: number;
  body: T & { code?: string; detail?: string };
}

async function ask<T>(
  path: string,
  { method, json, roles = ['admin'], caller = 'gateway' }: Asking = {},
): Promise<Answer<T>> {
  const identity = encodeIdentity({ userId: operator, name: 'Op', roles, sessionId: 's', boards: [] });
  const response = await fetch(`${running.internalUrl}/internal/v1/federation${path}`, {
    method: method ?? (json === undefined ? 'GET' : 'POST'),
    headers: {
      authorization: `Bearer ${await new ServiceTokens(caller, secret).issue('federation')}`,
      ...(roles.length === 0 ? {} : { [internalHeaders.identity]: identity }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as Answer<T>['body'] };
}

interface Asking {
  method?: string;
  json?: unknown;
  roles?: string[];
  caller?: string;
}

const refusal = ({ status, body }: Answer<unknown>) => [status, body.code];
const share = (board = 'events', more: object = {}) =>
  ask<FederationRoom>('/rooms', { json: { board, alias: 'test-chat', ...more } });
const decide = (site: string, decision: string, json: object = {}) =>
  ask<FederationPeer>(`/peers/${site}/${decision}`, { json });

/** What audit will be told, without numbers and times. */
async function reported() {
  const decisions = await new DecisionOutbox(database).next(100);
  return decisions.map(({ number: _number, at: _at, ...decision }) => decision);
}

async function newPeer(letter = 'p'): Promise<string> {
  const site = `bs1${letter.repeat(52)}`;
  await new PeerStore(database).add(site, 'Pi', 'handshake');
  return site;
}

describe('federation is administered', () => {
  test.each(['', '/rooms', '/peers', '/invitations', '/evidence', '/peers/bs1'])(
    'at %s by administrators alone, through the gateway',
    async (path) => {
      expect(refusal(await ask(path, { roles: ['user', 'auditor'] }))).toEqual([403, 'forbidden']);
      expect(refusal(await ask(path, { caller: 'chat' }))).toEqual([403, 'forbidden']);
      expect(refusal(await ask(path, { roles: [] }))).toEqual([401, 'token_missing']);
    },
  );

  test('and whoever may not changes nothing', async () => {
    const roles = ['user'];
    const site = await newPeer();
    const room = (await share()).body;
    const open = await ask('/rooms', { json: { board: 'other', alias: 'x' }, roles });
    const invite = await ask('/invitations', { json: { room: room.room }, roles });
    const revoke = await ask(`/peers/${site}/revoke`, { json: {}, roles });
    expect([open, invite, revoke].map(({ status }) => status)).toEqual([403, 403, 403]);
    expect((await ask<{ rooms: unknown[] }>('/rooms')).body.rooms).toHaveLength(1);
    expect((await ask<{ invitations: unknown[] }>('/invitations')).body.invitations).toEqual([]);
    expect((await ask<FederationPeer>(`/peers/${site}`)).body.state).toBe('handshake');
  });
});

test('the site is shown as others see it, with its fingerprint', async () => {
  const { body } = await ask<FederationSite>('');
  expect(body).toMatchObject({ name: 'Here', endpoints: ['https://site.example'], documentVersion: 1 });
  expect(body.fingerprint).toBe(fingerprintOf(body.site));
  expect(body.keys.map(({ use }) => use).toSorted()).toEqual(['checkpoint', 'event', 'hop', 'root']);
});

describe('a board', () => {
  test('is shared together with this site’s feed, once', async () => {
    const { body: site } = await ask<FederationSite>('');
    const { status, body } = await share('events', { subjects: ['AxonChat.>'] });
    expect(status).toBe(201);
    expect(body).toMatchObject({ alias: 'test-chat', board: 'events', subjects: ['AxonChat.>'], isAdmin: true });
    expect(body).toMatchObject({ creator: site.site, members: [{ site: site.site, name: 'Here' }] });
    expect(body.feeds).toEqual([
      expect.objectContaining({ site: site.site, n: 0, state: 'open', grownAt: null, waiting: 0, holes: 0 }),
    ]);
    expect((await ask<{ rooms: FederationRoom[] }>('/rooms')).body.rooms).toEqual([body]);
    expect(refusal(await share('events'))).toEqual([409, 'conflict']);
    expect(await reported()).toEqual([
      {
        action: 'federation.room.open',
        outcome: 'done',
        actor: operator,
        board: 'events',
        detail: { room: body.room, alias: 'test-chat', subjects: ['AxonChat.>'] },
      },
    ]);
  });

  test('that is not there, or never leaves its site, is not', async () => {
    expect(refusal(await share('nowhere'))).toEqual([404, 'board_unknown']);
    expect(refusal(await share('site'))).toEqual([403, 'forbidden']);
    expect(refusal(await share('events', { alias: '' }))).toEqual([400, 'invalid']);
    expect(refusal(await share('events', { subjects: ['a..b'] }))).toEqual([400, 'invalid']);
    expect(await reported()).toEqual([]);
  });

  test('is counted as it stands: what waits for the board, and what was left out', async () => {
    const { room } = (await share()).body;
    const remote = new RemoteSite(room);
    const place = [room, remote.id, remote.epoch];
    await database.query(
      `INSERT INTO feed (room, site, epoch, ordinal, n, hash, state, record) VALUES ($1, $2, $3, 0, 7, $4, 'frozen', '{}')`,
      [...place, Buffer.alloc(32, 1)],
    );
    for (const oseq of [6, 7]) {
      await database.query(
        `INSERT INTO feed_item (room, site, epoch, oseq, hash, header, sigs, dsize, via, source, id) VALUES ($1, $2, $3, $4::bigint, $5, '', '[]', 0, '{}', 's', $4::text)`,
        [...place, oseq, Buffer.alloc(32, oseq)],
      );
      await database.query(`INSERT INTO handover (board, room, site, epoch, oseq) VALUES ('events', $1, $2, $3, $4)`, [
        ...place,
        oseq,
      ]);
    }
    await database.query(
      `INSERT INTO feed_hole (room, site, epoch, oseq, hash, header, sigs, reason) VALUES ($1, $2, $3, 5, '', '', '[]', 'subject')`,
      place,
    );
    const feeds = (await ask<{ rooms: FederationRoom[] }>('/rooms')).body.rooms[0]!.feeds;
    expect(feeds.find(({ site }) => site === remote.id)).toMatchObject({
      n: 7,
      hash: '01'.repeat(32),
      state: 'frozen',
      waiting: 2,
      holes: 1,
    });
  });
});

describe('an invitation', () => {
  const invite = (room: string, more: object = {}) => ask<InviteAnswer>('/invitations', { json: { room, ...more } });
  const open = async () => (await ask<{ invitations: OpenInvitation[] }>('/invitations')).body.invitations;

  test('is told once, and listed without its secret until it is withdrawn', async () => {
    const room = (await share()).body;
    const { status, body } = await invite(room.room, { lifetimeSeconds: 600, scopes: ['read'] });
    expect(status).toBe(201);
    const content = decodeInvitation(body.invitation)!;
    expect(content).toMatchObject({
      room: room.room,
      alias: 'test-chat',
      name: 'Here',
      scopes: ['read'],
      subjects: ['>'],
    });
    expect(content).toMatchObject({ site: room.creator, endpoints: ['https://site.example'], expires: body.expires });
    expect(Date.parse(body.expires) - Date.now()).toBeGreaterThan(590_000);
    expect(await open()).toEqual([
      expect.objectContaining({ id: body.id, alias: 'test-chat', scopes: ['read'], site: null, createdBy: operator }),
    ]);
    const shown = JSON.stringify([await ask('/invitations'), await reported()]);
    expect(shown).not.toContain(content.secret);
    const withdraw = () => ask(`/invitations/${body.id}`, { method: 'DELETE' });
    expect((await withdraw()).status).toBe(204);
    expect(refusal(await withdraw())).toEqual([404, 'not_found']);
    expect(await open()).toEqual([]);
    expect(await new InvitationStore(database).use(content.secret, `bs1${'p'.repeat(52)}`)).toBe('withdrawn');
    expect((await reported()).map(({ action, actor }) => [action, actor])).toEqual([
      ['federation.room.open', operator],
      ['federation.invitation.create', operator],
      ['federation.invitation.withdraw', operator],
    ]);
  });

  test('may be for one site alone', async () => {
    const { room } = (await share()).body;
    const site = `bs1${'p'.repeat(52)}`;
    const { body } = await invite(room, { site });
    expect((await open())[0]!.site).toBe(site);
    const store = new InvitationStore(database);
    const { secret: word } = decodeInvitation(body.invitation)!;
    expect(await store.use(word, `bs1${'x'.repeat(52)}`)).toBe('of_another_site');
    expect(await store.use(word, site)).toMatchObject({ room, site });
    expect(await open()).toEqual([]);
  });

  test('is refused for a room that is unknown or another’s, to this site itself, and for too long', async () => {
    const { room, creator } = (await share()).body;
    expect(refusal(await invite(elsewhere))).toEqual([404, 'not_found']);
    expect(refusal(await invite(room, { site: creator }))).toEqual([409, 'conflict']);
    expect(refusal(await invite(room, { lifetimeSeconds: 86_401 }))).toEqual([400, 'invalid']);
    expect(refusal(await invite(room, { scopes: [] }))).toEqual([400, 'invalid']);
    expect(refusal(await invite(room, { subjects: ['AxonChat.>'] }))).toEqual([400, 'invalid']);
    expect((await invite(room, { subjects: ['>'] })).status).toBe(201);
    await Promise.all((await open()).map(({ id }) => ask(`/invitations/${id}`, { method: 'DELETE' })));
    const site = await newPeer();
    await new PeerStore(database).happened(site, 'revoked');
    expect(refusal(await invite(room, { site }))).toEqual([409, 'conflict']);
    const envelope = { payload: '' };
    const genesis = {
      v: 1,
      creator: site,
      admins: [site],
      alias: 'a',
      subjects: ['>'],
      created: '2026-01-01T00:00:00Z',
      nonce: '0'.repeat(32),
    };
    envelope.payload = Buffer.from(JSON.stringify(genesis)).toString('base64url');
    await database.query(
      `INSERT INTO room (id, board, alias, subjects, genesis, envelope) VALUES ($1, 'other', 'a', '{>}', '', $2)`,
      [elsewhere, envelope],
    );
    expect(refusal(await invite(elsewhere))).toEqual([409, 'conflict']);
    expect(await open()).toEqual([]);
  });
});

describe('accepting', () => {
  const theirs = {
    site: `bs1${'t'.repeat(52)}`,
    name: 'There',
    alias: 'far',
    endpoints: ['https://there.invalid'],
    room: elsewhere,
    scopes: ['read' as const],
    subjects: ['>'],
    expires: new Date(Date.now() + 600_000).toISOString(),
    secret: 'x'.repeat(43),
  };
  const accept = (invitation: string, board = 'events') =>
    ask<FederationPeer>('/invitations/accept', { json: { invitation, board } });

  test('makes the inviting site a peer, and is reported', async () => {
    const { status, body } = await accept(`  ${encodeInvitation(theirs)}\n`);
    expect(status).toBe(202);
    expect(body).toMatchObject({ site: theirs.site, name: 'There', fingerprint: fingerprintOf(theirs.site) });
    expect(['invited', 'handshake']).toContain(body.state);
    const detail = { peer: theirs.site, room: elsewhere, scopes: ['read'], subjects: ['>'] };
    const action = 'federation.invitation.accept';
    expect(await reported()).toEqual([{ action, outcome: 'done', actor: operator, board: 'events', detail }]);
    expect(JSON.stringify([await ask('/peers'), await reported()])).not.toContain(theirs.secret);
  });

  test('is refused for what can’t come to anything', async () => {
    const own = (await ask<FederationSite>('')).body.site;
    const cases: [string, string, unknown[]][] = [
      ['hello', 'events', [400, 'invalid']],
      [encodeInvitation({ ...theirs, expires: '2026-01-01T00:00:00.000Z' }), 'events', [409, 'conflict']],
      [encodeInvitation({ ...theirs, site: own }), 'events', [409, 'conflict']],
      [encodeInvitation(theirs), 'nowhere', [404, 'board_unknown']],
      [encodeInvitation(theirs), 'site', [403, 'forbidden']],
    ];
    for (const [invitation, board, expected] of cases)
      expect(refusal(await accept(invitation, board))).toEqual(expected);
    await share('events');
    expect(refusal(await accept(encodeInvitation(theirs), 'events'))).toEqual([409, 'conflict']);
    await new PeerStore(database).add(theirs.site, 'There', 'handshake');
    await new PeerStore(database).happened(theirs.site, 'suspended');
    expect(refusal(await accept(encodeInvitation(theirs), 'other'))).toEqual([409, 'conflict']);
    expect((await reported()).map(({ action }) => action)).toEqual(['federation.room.open']);
  });
});

describe('a peer', () => {
  test('that came with an invitation waits until its fingerprint is compared; a wrong one is told to audit', async () => {
    const { room } = (await share()).body;
    const site = await newPeer();
    const view = async () => (await ask<FederationPeer>(`/peers/${site}`)).body;
    expect((await view()).needsConfirmation).toBe(false);
    const { body: invitation } = await ask<InviteAnswer>('/invitations', { json: { room } });
    await new InvitationStore(database).use(decodeInvitation(invitation.invitation)!.secret, site);
    expect((await view()).needsConfirmation).toBe(true);
    await database.query('DELETE FROM decision_outbox');
    expect(refusal(await decide(site, 'confirm'))).toEqual([400, 'invalid']);
    expect(refusal(await decide(site, 'confirm', { fingerprint: 'aaaa bbbb cccc dddd eeee' }))).toEqual([
      409,
      'conflict',
    ]);
    expect((await view()).needsConfirmation).toBe(true);
    const heard = fingerprintOf(site).toUpperCase().replaceAll(' ', '-');
    expect((await decide(site, 'confirm', { fingerprint: heard })).status).toBe(200);
    expect(await view()).toMatchObject({ needsConfirmation: false });
    expect(
      (await reported()).map(({ action, outcome, actor, detail }) => [action, outcome, actor, detail!['peer']]),
    ).toEqual([
      ['federation.peer.confirm', 'refused', operator, site],
      ['federation.peer.confirm', 'done', operator, site],
    ]);
  });

  test('is suspended, resumed, trusted and revoked, each with who did it and what changed', async () => {
    const site = await newPeer();
    await new PeerStore(database).happened(site, 'shaken');
    expect((await decide(site, 'suspend', { reason: 'too loud' })).body).toMatchObject({
      state: 'suspended',
      reason: 'too loud',
    });
    expect(refusal(await decide(site, 'suspend'))).toEqual([409, 'conflict']);
    expect((await decide(site, 'resume')).body).toMatchObject({ state: 'catching_up', reason: null });
    expect(refusal(await decide(site, 'resume'))).toEqual([409, 'conflict']);
    expect((await decide(site, 'trust')).body.isTrusted).toBe(true);
    expect((await decide(site, 'distrust')).body.isTrusted).toBe(false);
    expect((await decide(site, 'revoke', { reason: 'gone' })).body).toMatchObject({ state: 'revoked', reason: 'gone' });
    for (const decision of ['suspend', 'resume', 'trust']) {
      expect(refusal(await decide(site, decision))).toEqual([409, 'conflict']);
    }
    const decisions = await reported();
    expect(decisions.map(({ action }) => action.split('.').at(-1))).toEqual([
      'suspend',
      'resume',
      'trust',
      'distrust',
      'revoke',
    ]);
    expect(decisions[0]).toEqual({
      action: 'federation.peer.suspend',
      outcome: 'done',
      actor: operator,
      detail: {
        peer: site,
        name: 'Pi',
        reason: 'too loud',
        before: { state: 'catching_up', trusted: false },
        after: { state: 'suspended', trusted: false },
      },
    });
  });

  test('that is revoked is put out of the rooms that this site administers', async () => {
    const { room } = (await share()).body;
    const site = await newPeer();
    await database.query(
      `INSERT INTO room_member (room, site, ordinal, is_member, envelope) VALUES ($1, $2, 1, true, '{}')`,
      [room, site],
    );
    const members = async () =>
      (await ask<{ rooms: FederationRoom[] }>('/rooms')).body.rooms[0]!.members.map((member) => member.site);
    expect(await members()).toContain(site);
    expect((await decide(site, 'revoke')).status).toBe(200);
    expect(await members()).not.toContain(site);
    expect((await decide(site, 'revoke')).status).toBe(200);
  });

  test('that nobody knows is not found, nor a decision that there is none of', async () => {
    const site = await newPeer();
    for (const path of [`/peers/bs1${'z'.repeat(52)}`, '/peers/x'])
      expect(refusal(await ask(path))).toEqual([404, 'not_found']);
    expect(refusal(await decide(`bs1${'z'.repeat(52)}`, 'suspend'))).toEqual([404, 'not_found']);
    expect(refusal(await decide(`bs1${'z'.repeat(52)}`, 'confirm', { fingerprint: 'x' }))).toEqual([404, 'not_found']);
    expect(refusal(await decide(site, 'forgive'))).toEqual([404, 'not_found']);
    expect(refusal(await decide(site, 'suspend', { because: 'x' }))).toEqual([400, 'invalid']);
    expect((await ask<FederationPeer>(`/peers/${site}/suspend`, { method: 'POST' })).body.state).toBe('suspended');
  });
});

test('evidence is listed with both hashes, the newest first', async () => {
  const site = `bs1${'e'.repeat(52)}`;
  const add = (oseq: number, at: string) =>
    database.query(
      `INSERT INTO evidence (room, site, epoch, oseq, kept_header, kept_sigs, other_hash, other_header, other_sigs, carrier, at)
       VALUES ($1, $2, 'e1', $3, 'kept', '[]', $4, 'other', '[]', $2, $5)`,
      [elsewhere, site, oseq, Buffer.alloc(32, 2), at],
    );
  await add(3, '2026-03-01T09:00:00Z');
  await add(9, '2026-03-01T10:00:00Z');
  const { evidence } = (await ask<{ evidence: Record<string, unknown>[] }>('/evidence')).body;
  expect(evidence.map(({ oseq }) => oseq)).toEqual([9, 3]);
  // SHA-256 of "kept".
  expect(evidence[0]).toEqual({
    room: elsewhere,
    site,
    epoch: 'e1',
    oseq: 9,
    keptHash: '79f076abdd19a752db7267bfff2f9022161d120dea919fdaca2ffdfc24ca8c96',
    otherHash: '02'.repeat(32),
    carrier: site,
    at: '2026-03-01T10:00:00.000Z',
  });
});
