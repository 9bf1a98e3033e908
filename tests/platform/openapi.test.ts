import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encodeInvitation, errorTable, routeTable, type ErrorCode } from '@boardwire/contracts';
import { documentedRoutes, ownRefusalsOf, refusedAnywhere, type DocumentedRoute } from '@boardwire/contracts/documents';
import { ServiceTokens } from '@boardwire/service-kit';
import { SseReader, WsReader } from '@boardwire/test-kit';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { call, signInAsGuest, type Answer, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Json = Record<string, unknown>;
interface Media {
  schema?: unknown;
}
interface Operation {
  operationId: string;
  responses: Record<string, { content?: Record<string, Media>; $ref?: string }>;
}
interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: Json;
}
const require = createRequire(import.meta.url);
const formats = addFormats as unknown as (ajv: Ajv | Ajv2020) => void;

let site: TestSite;
let ana: Person;
let admin: Person;
let document: OpenApi;
beforeAll(async () => {
  site = await startTestSite();
  ana = await signInAsGuest(site.url, 'ana');
  admin = await site.admin();
  document = (await call<OpenApi & Json>(`${site.url}/v1/openapi.json`)).body;
}, 60_000);
afterAll(() => site?.stop(), 30_000);

describe('the documents', () => {
  test('are valid OpenAPI 3.1 and AsyncAPI 3', async () => {
    // By name at run time: its types come with the package, not with the tests.
    const packageName = '@seriousme/openapi-schema-validator';
    const { Validator } = (await import(packageName)) as {
      Validator: new () => { validate(document: unknown): Promise<{ valid: boolean; errors?: unknown }> };
    };
    expect(await new Validator().validate(document)).toEqual({ valid: true });
    const asyncApi = (await call(`${site.url}/v1/asyncapi.json`)).body;
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(
      require('@asyncapi/specs/schemas/3.0.0-without-$id.json') as object,
    );
    validate(asyncApi);
    expect(validate.errors ?? []).toEqual([]);
  });

  test.each(['/v1/openapi.json', '/v1/asyncapi.json', '/docs'])('%s is kept by its tag', async (path) => {
    const first = await call(site.url + path);
    const etag = first.headers.get('etag')!;
    expect([first.status, etag]).toEqual([200, expect.stringMatching(/^"[\w-]{22}"$/)]);
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`]) {
      expect(await call(site.url + path, { headers: { 'if-none-match': tag } })).toMatchObject({
        status: 304,
        text: '',
      });
    }
    expect((await call(site.url + path, { headers: { 'if-none-match': '"other"' } })).text).toBe(first.text);
  });

  test('as a page need no script and nothing from elsewhere', async () => {
    const page = await call(`${site.url}/docs`);
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'/);
    expect(policy).not.toMatch(/unsafe|script-src|https?:/);
    expect(page.type).toBe('text/html; charset=utf-8');
  });
});

describe('every route', () => {
  const where = 'libs/contracts/src/openapi/*-routes.ts';

  /** What each service itself says that it serves. */
  async function routesOf(service: string): Promise<{ internal: string[]; open: string[] }> {
    const secret = await readFile(join(site.infrastructure.folder, 'site', 'secrets', 'internal-secret'), 'utf8');
    const token = await new ServiceTokens('gateway', secret.trim()).issue(service);
    const { status, body } = await call<{ paths: Record<string, Json>; 'x-public-routes': string[] }>(
      `${site.internalUrl(service)}/internal/openapi.json`,
      { token },
    );
    expect([service, status]).toEqual([service, 200]);
    const internal = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    return { internal, open: body['x-public-routes'] };
  }

  test('that is served is documented, and the other way round', async () => {
    const { open } = await routesOf('gateway');
    const forwarded = routeTable.filter(({ forwardTo }) => forwardTo !== undefined);
    const isForwarded = (path: string) =>
      forwarded.some(({ prefix }) => [prefix, `${prefix}*`, `${prefix}/*`].includes(path));
    const served = open.filter((route) => {
      const path = route.split(' ')[1]!;
      // What sites say to each other is BF/1, which docs/protocol.md has.
      return path !== '/*' && path !== '/fed/*' && !isForwarded(path);
    });
    for (const { prefix, owner, forwardTo, isExact } of forwarded) {
      const { internal } = await routesOf(owner);
      const own = internal.flatMap((route) => {
        const [method, path] = route.split(' ') as [string, string];
        if (path === forwardTo) return [`${method} ${prefix}`];
        const isBelow = isExact !== true && path.startsWith(forwardTo!.endsWith('/') ? forwardTo! : `${forwardTo!}/`);
        return isBelow ? [`${method} ${prefix}${path.slice(forwardTo!.length)}`] : [];
      });
      expect(own.length).toBeGreaterThan(0);
      served.push(...own);
    }
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    // Services name their parameters as they like.
    const shape = (route: string) => route.replaceAll(/\{\w+\}|\*$/g, '{}');
    const has = (list: readonly string[], route: string) => list.some((one) => shape(one) === shape(route));
    const missing = served.filter((route) => !has(documented, route));
    expect(missing.map((route) => `${route} is served but not documented: add it to ${where}`)).toEqual([]);
    const extra = documented.filter((route) => !has(served, route));
    expect(extra.map((route) => `${route} is documented in ${where} but not served`)).toEqual([]);
  });
});

/** Holds answers to the document, and notes which of its operations have been answered how. */
class Witness {
  readonly seen = new Map<string, Set<number>>();
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(openApi: OpenApi) {
    formats(this.#ajv);
    this.#ajv.addSchema({ $id: 'document', ...(closed(openApi) as object) });
  }

  /** @throws for an answer that the document doesn't have. */
  check(id: string, { status, type, body, text }: Answer): void {
    const route = documentedRoutes.find((one) => one.id === id)!;
    const at = `${route.method} ${route.path} ${status}`;
    this.seen.set(id, (this.seen.get(id) ?? new Set()).add(status));
    if (status >= 400) return this.#refusal(at, route, body);
    const { content } = document.paths[route.path]![route.method]!.responses[status] ?? {};
    expect([at, route.answers[status]]).not.toEqual([at, undefined]);
    if (content === undefined) return expect([at, text]).toEqual([at, '']);
    const mediaType = type.split(';')[0]!;
    expect([at, Object.keys(content)]).toEqual([at, expect.arrayContaining([mediaType])]);
    if (body !== undefined) this.#fits(at, content[mediaType]!.schema, body);
  }

  #refusal(at: string, route: DocumentedRoute, body: Json): void {
    const answers = document.paths[route.path]![route.method]!.responses;
    const codes: readonly ErrorCode[] = [...ownRefusalsOf(route), ...refusedAnywhere];
    if ('code' in body) expect([at, codes]).toEqual([at, expect.arrayContaining([body['code']])]);
    const { status } = errorTable[(body['code'] as ErrorCode | undefined) ?? 'invalid'];
    const [media] = Object.values((answers[status] ?? answers['default'])?.content ?? {});
    if (media !== undefined) this.#fits(at, media.schema, body);
  }

  #fits(at: string, schema: unknown, body: unknown): void {
    const absolute = JSON.parse(
      JSON.stringify(closed(schema)).replaceAll('"$ref":"#/', '"$ref":"document#/'),
    ) as object;
    const validate = this.#ajv.compile(absolute);
    validate(body);
    expect([at, validate.errors ?? []]).toEqual([at, []]);
  }
}

/** Readers must bear what they don't know, but we don't send what we don't say: here an unknown field is a fault. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [key, closed(inner)]);
  const object = Object.fromEntries(entries);
  const isOpen = object['type'] === 'object' && 'properties' in object && !('additionalProperties' in object);
  return isOpen ? { ...object, additionalProperties: false } : object;
}

describe('real answers', () => {
  test('are what the document says, for every operation and every success', async () => {
    const witness = new Witness(document);
    await accounts(witness);
    await boards(witness);
    await eventsOf(witness);
    await live(witness);
    await audit(witness);
    await decisionAudits(witness);
    await federation(witness);
    await ofTheSite(witness);
    const unseen = documentedRoutes.flatMap(({ id, answers }) =>
      Object.keys(answers)
        .filter((status) => witness.seen.get(id)?.has(Number(status)) !== true)
        .map((status) => `${id} ${status}: call it in tests/platform/openapi.test.ts`),
    );
    expect(unseen).toEqual([]);
  }, 60_000);
});

async function accounts(witness: Witness): Promise<void> {
  const auth = (path: string) => `${site.url}/v1/auth/${path}`;
  const registration = { name: 'ben', password: 'a long enough one' };
  const registered = await call<{ refreshToken: string; accessToken: string } & Json>(auth('register'), {
    json: registration,
  });
  witness.check('register', registered);
  witness.check('register', await call(auth('register'), { json: registration }));
  witness.check('register', await call(auth('register'), { json: {} }));
  witness.check('login', await call(auth('login'), { json: registration }));
  witness.check('login', await call(auth('login'), { json: { ...registration, password: 'wrong' } }));
  witness.check('enterAsGuest', await call(auth('guest'), { json: { nickname: 'visitor' } }));
  witness.check('refresh', await call(auth('refresh'), { json: { refreshToken: registered.body.refreshToken } }));
  witness.check('refresh', await call(auth('refresh'), { json: { refreshToken: 'none' } }));
  const { accessToken: token } = registered.body;
  witness.check('whoAmI', await call(auth('me'), { token }));
  witness.check('whoAmI', await call(auth('me')));
  const ignores = (method: string, author: string) => call(`${site.url}/v1/me/ignores/${author}`, { method, token });
  witness.check('ignoreAuthor', await ignores('PUT', ana.id));
  witness.check('ignoreAuthor', await ignores('PUT', 'ana@nowhere'));
  witness.check('listIgnores', await call(`${site.url}/v1/me/ignores`, { token }));
  witness.check('listIgnores', await call(`${site.url}/v1/me/ignores`));
  witness.check('endIgnore', await ignores('DELETE', ana.id));
  witness.check('endIgnore', await ignores('DELETE', 'ana@nowhere'));
  witness.check('logout', await call(auth('logout'), { method: 'POST', token }));
  const account = { name: 'robot', password: 'a long enough one', roles: ['publisher'] };
  const robot = await call(auth('accounts'), { token: admin.token, json: account });
  witness.check('createAccount', robot);
  witness.check('createAccount', await call(auth('accounts'), { token: ana.token, json: account }));
  const change = (id: string, json: unknown) =>
    call(auth(`accounts/${id}`), { method: 'PATCH', token: admin.token, json });
  witness.check('changeAccount', await change(robot.body['id'] as string, { roles: ['user'] }));
  witness.check('changeAccount', await change('nobody', { roles: ['user'] }));
  witness.check('keySet', await call(`${site.url}/.well-known/jwks.json`));
}

async function boards(witness: Witness): Promise<void> {
  const url = `${site.url}/v1/boards`;
  const { token } = admin;
  const json = { slug: 'moves', title: 'Moves', rules: [{ pattern: 'drag.>', class: 'ephemeral' }] };
  witness.check('listBoards', await call(url, { token }));
  witness.check('createBoard', await call(url, { token, json }));
  witness.check('createBoard', await call(url, { token, json }));
  witness.check('createBoard', await call(url, { token: ana.token, json }));
  witness.check('readBoard', await call(`${url}/moves`, { token }));
  witness.check('readBoard', await call(`${url}/nowhere`, { token }));
  witness.check('changeBoard', await call(`${url}/moves`, { method: 'PATCH', token, json: { title: 'Moved' } }));
  const ephemeral = { subject: 'drag.a', type: 'moved' };
  witness.check('publish', await call(`${url}/moves/events`, { token, json: ephemeral }));
  const members = `${url}/moves/members`;
  const membership = { json: { subjects: ['dm.ana'] }, method: 'PUT', token };
  const rules = [{ pattern: 'dm.>', access: 'members' }];
  witness.check('changeBoard', await call(`${url}/moves`, { method: 'PATCH', token, json: { rules } }));
  witness.check('setMembership', await call(`${members}/${ana.id}`, membership));
  witness.check('setMembership', await call(`${members}/${ana.id}`, { ...membership, token: ana.token }));
  witness.check('listMembers', await call(`${members}?limit=5`, { token }));
  witness.check('readMembership', await call(`${members}/${ana.id}`, { token }));
  witness.check('endMembership', await call(`${members}/${ana.id}`, { method: 'DELETE', token }));
  witness.check('deleteBoard', await call(`${url}/moves`, { method: 'DELETE', token }));
  witness.check('deleteBoard', await call(`${url}/events`, { method: 'DELETE', token }));
}

async function eventsOf(witness: Witness): Promise<void> {
  const url = `${site.url}/v1/boards/events`;
  const { token } = ana;
  const event = { id: 'one', subject: 'GameScore.a', type: 'scored', data: { points: 3 } };
  const cloudEvent = { ...event, specversion: '1.0', source: `/users/${ana.id}`, mine: 'x', data: 'text' };
  const batch = [
    cloudEvent,
    { ...cloudEvent, id: 'two', subject: 'federation.x' },
    { ...cloudEvent, id: 'three', seq: 1 },
  ];
  const headers = { 'content-type': 'application/cloudevents-batch+json' };
  for (const json of [
    event,
    event,
    { ...event, data: 4 },
    { ...event, subject: '*' },
    { ...event, subject: 'federation.x' },
  ]) {
    witness.check('publish', await call(`${url}/events`, { token, json }));
  }
  witness.check('publish', await call(`${url}/events`, { token, json: batch, headers }));
  witness.check(
    'publish',
    await call(`${url}/events`, { token, body: 'x', headers: { 'content-type': 'text/plain' } }),
  );
  for (const accept of [
    'application/json',
    'application/x-ndjson',
    'application/cloudevents-batch+json',
    'image/png',
  ]) {
    const answer = await call(`${url}/events?subject=GameScore.>&limit=2`, { token, headers: { accept } });
    witness.check('readHistory', accept.endsWith('ndjson') ? { ...answer, body: undefined as never } : answer);
  }
  for (const query of ['limit=0', 'after=x', 'subject=a..b', 'subject=federation.x']) {
    witness.check('readHistory', await call(`${url}/events?${query}`, { token }));
  }
  const { cursor } = (await call<{ cursor: string }>(`${url}/events`, { token, json: { ...event, id: 'gone' } })).body;
  const remove = (which: string, by: Person) => call(`${url}/events/${which}`, { method: 'DELETE', token: by.token });
  witness.check('removeEvent', await remove(cursor, ana));
  witness.check('removeEvent', await remove(cursor, admin));
  witness.check('removeEvent', await remove('x', admin));
  witness.check('readState', await call(`${url}/state`, { token }));
  witness.check('readPresence', await call(`${url}/presence?subject=GameScore.>`, { token }));
  witness.check('readPresence', await call(`${site.url}/v1/boards/nowhere/presence`, { token }));
}

async function live(witness: Witness): Promise<void> {
  const ticket = (json: unknown) => call(`${site.url}/v1/stream-tickets`, { token: ana.token, json });
  witness.check('issueTicket', await ticket({ board: 'events', subjects: ['AxonChat.>'] }));
  witness.check('issueTicket', await ticket({ transport: 'ws' }));
  witness.check('issueTicket', await ticket({ transport: 'pigeon' }));
  const stream = await SseReader.open(`${site.url}/v1/boards/events/stream`, { token: ana.token });
  const type = stream.headers['content-type'] ?? '';
  witness.check('openStream', {
    status: stream.status,
    type,
    headers: new Headers(),
    text: '',
    body: undefined as never,
  });
  stream.close();
  witness.check('openStream', await call(`${site.url}/v1/boards/events/stream?last=x`, { token: ana.token }));
  const socket = await WsReader.open(`${site.url.replace('http', 'ws')}/v1/ws`, { protocols: ['boardwire.v1'] });
  socket.close();
  witness.check('openWebSocket', { status: 101, type: '', headers: new Headers(), text: '', body: undefined as never });
  witness.check('openWebSocket', await call(`${site.url}/v1/ws`));
}

async function audit(witness: Witness): Promise<void> {
  const { head } = (await call<{ head: number }>(`${site.url}/v1/boards/events`, { token: ana.token })).body;
  await site.auditHas('events', head);
  const read = <T = Json>(path: string, token = admin.token) => call<T>(`${site.url}/v1/audit/${path}`, { token });
  const health = await read<{ size: number }>('health');
  witness.check('auditHealth', health as unknown as Answer);
  const days = await read<{ days: { day: string }[] }>('days');
  witness.check('auditDays', days as unknown as Answer);
  witness.check('auditDay', await read(`days/${days.body.days[0]!.day}?limit=3`));
  witness.check('auditDay', await read('days/2026-02-30'));
  witness.check('auditLatest', await read('latest?limit=5'));
  witness.check('auditLatest', await read('latest', ana.token));
  witness.check('auditDays', await read('days?board=events'));
  witness.check('auditEntries', await read('entries?kind=event&subject=GameScore.>&limit=3'));
  witness.check('auditEntries', await read('entries?sybmol=x'));
  witness.check('auditFacets', await read('facets?board=events'));
  const { day } = days.body.days[0]!;
  for (const [id, path] of [
    ['auditDayFile', `days/${day}.jsonl`],
    ['auditDayFile', 'days/2026-02-30.jsonl'],
    ['auditDayZipped', `days/${day}.jsonl.gz`],
    ['auditExport', 'export?kind=event'],
    ['auditExport', 'export?format=csv'],
    ['auditExport', 'export?format=pdf'],
  ] as const) {
    const answer = await read(path);
    witness.check(id, answer.status === 200 ? { ...answer, body: undefined as never } : answer);
  }
  const tail = await SseReader.open(`${site.url}/v1/audit/tail`, { token: admin.token });
  tail.close();
  const type = tail.headers['content-type'] ?? '';
  witness.check('auditTail', { status: tail.status, type, headers: new Headers(), text: '', body: undefined as never });
  witness.check('auditTail', await read('tail?after=99999999'));
  witness.check('auditNeighbours', await read('entries/1/neighbours?limit=3'));
  witness.check('auditNeighbours', await read('entries/999999/neighbours'));
  witness.check('auditEntry', await read('entries/0'));
  witness.check('auditEntry', await read('entries/999999'));
  await covered(0);
  witness.check('auditEntryProof', await read('entries/0/proof'));
  witness.check('auditEntryProof', await read('entries/0/proof?witnesses=all'));
  witness.check('auditEntryDisclosure', await read('entries/0/disclosure'));
  witness.check('auditEntryDisclosure', await read('entries/999999/disclosure'));
  witness.check('auditCheckpoints', await read('checkpoints?limit=2'));
  witness.check('auditCheckpoints', await read('checkpoints?limit=0'));
  witness.check('auditConsistency', await read('proof/consistency?from=1&to=1'));
  witness.check('auditConsistency', await read('proof/consistency?from=1&to=99999'));
  witness.check('auditTile', await read('tile/0/123'));
  for (const [id, path] of [
    ['auditCheckpoint', 'checkpoint'],
    ['auditKey', 'key'],
    ['auditTile', 'tile/0/000.p/1'],
    ['auditEntryTlogProof', 'entries/0/tlog-proof'],
  ] as const) {
    witness.check(id, { ...(await read(path)), body: undefined as never });
  }
}

/** As the applet of the trading room reports it. */
async function decisionAudits(witness: Witness): Promise<void> {
  const secret = await readFile(join(site.infrastructure.folder, 'site', 'secrets', 'internal-secret'), 'utf8');
  const token = await new ServiceTokens('applets', secret.trim()).issue('audit');
  const at = '2026-03-01T09:30:00.000Z';
  const decision = { number: 1, action: 'trading.decision', outcome: 'done', actor: 'agent-7', at };
  const json = { service: 'applets', decisions: [{ ...decision, detail: { trader_id: 'agent-7' } }] };
  await call(`${site.internalUrl('audit')}/internal/v1/decisions`, { token, json });
  const agents = (path: string) => call(`${site.url}/api/agents/${path}`, { token: admin.token });
  const deadline = Date.now() + 10_000;
  while ((await agents('agent-7/decision-audit/latest')).status !== 200 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  witness.check('decisionAuditLatest', await agents('agent-7/decision-audit/latest'));
  witness.check('decisionAuditLatest', await agents('nobody/decision-audit/latest'));
  witness.check('decisionAuditDay', await agents('agent-7/decision-audit/day?day_key=2026-03-01'));
  witness.check('decisionAuditDay', await agents('agent-7/decision-audit/day?day_key=today'));
}

/** A checkpoint is signed each second that the log grew. */
async function covered(seq: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const { status } = await call(`${site.url}/v1/audit/entries/${seq}/proof`, { token: admin.token });
    if (status === 200 || Date.now() > deadline) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function federation(witness: Witness): Promise<void> {
  const { token } = admin;
  const url = `${site.url}/v1/federation`;
  const post = (path: string, json: unknown, by = token) => call(`${url}${path}`, { token: by, json });
  witness.check('federationSite', await call(url, { token }));
  witness.check('federationSite', await call(url, { token: ana.token }));
  const wanted = { board: 'events', alias: 'test-chat' };
  const opened = await post('/rooms', wanted);
  witness.check('openFederationRoom', opened);
  witness.check('openFederationRoom', await post('/rooms', wanted));
  witness.check('openFederationRoom', await post('/rooms', { ...wanted, board: 'nowhere' }));
  witness.check('openFederationRoom', await post('/rooms', wanted, ana.token));
  witness.check('federationRooms', await call(`${url}/rooms`, { token }));
  const invited = await post('/invitations', { room: opened.body['room'] });
  witness.check('inviteToFederation', invited);
  witness.check('inviteToFederation', await post('/invitations', { room: `br1${'q'.repeat(52)}` }));
  witness.check('federationInvitations', await call(`${url}/invitations`, { token }));
  const withdraw = () => call(`${url}/invitations/${String(invited.body['id'])}`, { method: 'DELETE', token });
  witness.check('withdrawInvitation', await withdraw());
  witness.check('withdrawInvitation', await withdraw());
  await call(`${site.url}/v1/boards`, { token, json: { slug: 'far', title: 'Far' } });
  const invitation = encodeInvitation({
    site: `bs1${'t'.repeat(52)}`,
    endpoints: ['https://there.invalid'],
    room: `br1${'q'.repeat(52)}`,
    scopes: ['read'],
    subjects: ['>'],
    expires: new Date(Date.now() + 60_000).toISOString(),
    secret: 'x'.repeat(43),
  });
  const accepted = await post('/invitations/accept', { invitation, board: 'far' });
  witness.check('acceptInvitation', accepted);
  witness.check('acceptInvitation', await post('/invitations/accept', { invitation: 'x', board: 'far' }));
  const peer = `/peers/${String(accepted.body['site'])}`;
  witness.check('federationPeers', await call(`${url}/peers`, { token }));
  witness.check('federationPeer', await call(url + peer, { token }));
  witness.check('federationPeer', await call(`${url}/peers/nobody`, { token }));
  witness.check('decideOnPeer', await post(`${peer}/suspend`, { reason: 'an example' }));
  witness.check('decideOnPeer', await post(`${peer}/suspend`, {}));
  witness.check('decideOnPeer', await post(`${peer}/revoke`, {}));
  witness.check('federationEvidence', await call(`${url}/evidence`, { token }));
}

async function ofTheSite(witness: Witness): Promise<void> {
  witness.check('siteDocument', await call(`${site.url}/.well-known/boardwire`));
  for (const [id, path] of [
    ['openApiDocument', '/v1/openapi.json'],
    ['asyncApiDocument', '/v1/asyncapi.json'],
    ['docsPage', '/docs'],
  ] as const) {
    const first = await call(site.url + path);
    witness.check(id, id === 'docsPage' ? { ...first, body: undefined as never } : first);
    witness.check(id, await call(site.url + path, { headers: { 'if-none-match': first.headers.get('etag')! } }));
  }
  const lobby = await SseReader.open(`${site.url}/api/chat/events/?token=${ana.token}&tz=Europe/Rome`);
  const type = lobby.headers['content-type'] ?? '';
  witness.check('axonchatEvents', {
    status: lobby.status,
    type,
    headers: new Headers(),
    text: '',
    body: undefined as never,
  });
  lobby.close();
  const post = (json: unknown) => call(`${site.url}/api/chat/post/`, { token: ana.token, json });
  witness.check('axonchatPost', await post({ text: 'Hello' }));
  witness.check('axonchatPost', await post({ text: '' }));
}
