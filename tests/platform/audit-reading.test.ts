import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  auditEntrySchema,
  decisionAuditDaySchema,
  decisionAuditLatestSchema,
  type AuditEntry,
  type AuditFacets,
  type AuditHealth,
  type AuditPage,
} from '@boardwire/contracts';
import { documentedRoutes } from '@boardwire/contracts/documents';
import { ServiceTokens } from '@boardwire/service-kit';
import { eventually, SseReader } from '@boardwire/test-kit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { call, say, signIn, signInAsGuest, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

let site: TestSite;
let ana: Person;
let admin: Person;
let applets: ServiceTokens;
beforeAll(async () => {
  site = await startTestSite();
  ana = await signInAsGuest(site.url, 'ana');
  admin = await site.admin();
  const secret = await readFile(join(site.infrastructure.folder, 'site', 'secrets', 'internal-secret'), 'utf8');
  applets = new ServiceTokens('applets', secret.trim());
  const json = { slug: 'berlin', title: 'Berlin', time_zone: 'Europe/Berlin' };
  expect((await call(`${site.url}/v1/boards`, { token: admin.token, json })).status).toBe(201);
  for (let at = 0; at < 12; at += 1) await say(site.url, ana, `audited ${at}`);
  await site.auditHas('events', 12);
}, 60_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

const audit = <T>(path: string, token = admin.token) => call<T>(`${site.url}/v1/audit/${path}`, { token });
const entries = async (query: string) => (await audit<AuditPage>(`entries?${query}`)).body.entries;

let handedIn = 0;
/** Hands decisions in as an applet does. */
async function decide(decisions: object[], service = 'applets'): Promise<void> {
  const first = handedIn;
  if (service === 'applets') handedIn += decisions.length;
  const numbered = decisions.map((decision, at) => ({
    number: first + at + 1,
    outcome: 'done',
    actor: 'x',
    ...decision,
  }));
  const { status } = await call(`${site.internalUrl('audit')}/internal/v1/decisions`, {
    token: await applets.issue('audit'),
    json: { service, decisions: numbered },
  });
  expect(status).toBe(200);
}

/** A new account, signed in, that may be changed without harm to others. */
async function somebody(name: string, roles: string[]): Promise<Person> {
  const password = 'a long enough one';
  await call(`${site.url}/v1/auth/accounts`, { token: admin.token, json: { name, password, roles } });
  return signIn(site.url, name, password);
}

describe('entries', () => {
  test('are found by what they are, a page at a time, from both ends', async () => {
    const all = await entries('kind=event&board=events&order=oldest&limit=500');
    expect(all.map((entry) => entry.board_seq)).toEqual(Array.from({ length: all.length }, (_, at) => at + 1));
    for (const order of ['oldest', 'newest']) {
      const found: AuditEntry[] = [];
      for (let next: string | null | undefined; next !== null;) {
        const cursor = next === undefined ? '' : `&cursor=${next}`;
        const { body } = await audit<AuditPage>(`entries?kind=event&board=events&order=${order}&limit=5${cursor}`);
        found.push(...body.entries);
        next = body.next;
      }
      expect(found).toEqual(order === 'oldest' ? all : all.toReversed());
    }
    expect(await entries('q=AUDITED%207&kind=event')).toMatchObject([{ detail: { data: { text: 'audited 7' } } }]);
    expect(await entries(`hash=${all[3]!.leaf_hash}`)).toEqual([all[3]]);
    expect(await entries('subject=AxonChat.*&actor=nobody')).toEqual([]);
  });

  test('are refused for a condition that there isn’t, with those there are', async () => {
    const { status, body } = await audit<{ code: string }>('entries?sybmol=BTC');
    expect([status, body.code]).toEqual([400, 'invalid']);
    expect(JSON.stringify(body)).toContain('symbol');
  });

  test('have facets and neighbours, and a board has days of its own', async () => {
    const { body: facets } = await audit<AuditFacets>('facets?board=events&kind=event');
    expect(facets.facets.type).toEqual([{ value: 'chat.message.posted', count: facets.counted }]);
    const [entry] = await entries('kind=event&q=audited%205');
    const { body: around } = await audit<AuditPage>(`entries/${entry!.seq}/neighbours?limit=3`);
    expect(around.entries.map(({ seq }) => seq)).toEqual([entry!.seq - 1, entry!.seq, entry!.seq + 1]);
    const { body } = await audit<{ days: object[] }>('days?board=events');
    expect(body.days).toEqual([{ day: entry!.day, entries: facets.counted }]);
  });
});

describe('a file', () => {
  const split = (bytes: Buffer) => bytes.lastIndexOf(10, bytes.length - 2) + 1;

  test('of a day is streamed with its hash at the end, and zipped the same', async () => {
    const { day } = (await entries('limit=1'))[0]!;
    const download = async (path: string) => {
      const answer = await fetch(`${site.url}/v1/audit/${path}`, {
        headers: { authorization: `Bearer ${admin.token}` },
      });
      return { answer, bytes: Buffer.from(await answer.arrayBuffer()) };
    };
    const { answer, bytes } = await download(`days/${day}.jsonl`);
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="audit-${day}.jsonl"`);
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const { trailer } = JSON.parse(bytes.subarray(split(bytes)).toString()) as { trailer: Record<string, unknown> };
    const lines = bytes.subarray(0, split(bytes));
    expect(trailer['sha256']).toBe(createHash('sha256').update(lines).digest('hex'));
    const read = lines
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => auditEntrySchema.parse(JSON.parse(line)));
    const { body } = await audit<AuditPage>(`days/${day}?limit=500`);
    expect(read).toEqual(body.entries.slice(0, read.length));
    const zipped = await download(`days/${day}.jsonl.gz`);
    expect(zipped.answer.headers.get('content-disposition')).toContain('.jsonl.gz"');
    expect(gunzipSync(zipped.bytes).subarray(0, lines.length).equals(lines)).toBe(true);
    expect((await audit<{ code: string }>('days/2026-02-30.jsonl')).body.code).toBe('invalid_day');
  });

  test('of any conditions holds what is shown for them', async () => {
    const shown = await entries('kind=event&board=events&order=oldest&limit=500');
    const { text, status } = await audit('export?kind=event&board=events&format=jsonl');
    const lines = text.trimEnd().split('\n');
    expect([status, lines.slice(0, -1).map((line) => JSON.parse(line) as AuditEntry)]).toEqual([200, shown]);
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({
      trailer: { filter: { kind: 'event', board: 'events' }, entries: shown.length },
    });
    const csv = await audit('export?kind=event&board=events&format=csv');
    expect(csv.type).toMatch(/^text\/csv/);
    expect(csv.headers.get('content-disposition')).toMatch(/^attachment; filename="audit-export-\d+\.csv"$/);
    expect(csv.text.split('\r\n')[0]).toMatch(/^seq,day,.*,detail$/);
    expect(csv.text.split('\r\n')).toHaveLength(shown.length + 2);
  });
});

describe('a tail', () => {
  const tail = (token: string, query: string, lastEventId?: string) =>
    SseReader.open(`${site.url}/v1/audit/tail?${query}`, {
      token,
      ...(lastEventId === undefined ? {} : { lastEventId }),
    });
  const seqsOf = (reader: SseReader) =>
    reader.blocks.flatMap(({ data }) => (data === undefined ? [] : [(JSON.parse(data) as AuditEntry).board_seq]));

  test('brings what is appended, and goes on behind the last id', async () => {
    const first = await tail(admin.token, 'board=events&kind=event');
    expect([first.status, first.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
    await eventually(async () => expect(first.blocks.length).toBeGreaterThan(0));
    const one = (await say(site.url, ana, 'tailed 1')).body.seq;
    await eventually(async () => expect(seqsOf(first)).toEqual([one]));
    const lastId = first.blocks.at(-1)!.id!;
    first.close();
    const missed = (await say(site.url, ana, 'tailed 2')).body.seq;
    const second = await tail(admin.token, 'board=events&kind=event', lastId);
    await eventually(async () => expect(seqsOf(second)).toEqual([missed]));
    second.close();
  });

  test('ends within seconds with its reader’s session or role', async () => {
    const leaving = await somebody('leaving', ['auditor']);
    const demoted = await somebody('demoted', ['auditor']);
    const readers = await Promise.all([leaving, demoted].map(({ token }) => tail(token, '')));
    expect(readers.map(({ status }) => status)).toEqual([200, 200]);
    await call(`${site.url}/v1/auth/logout`, { method: 'POST', token: leaving.token });
    await call(`${site.url}/v1/auth/accounts/${demoted.id}`, {
      method: 'PATCH',
      token: admin.token,
      json: { roles: ['user'] },
    });
    for (const reader of readers) await reader.ended({ timeoutMs: 6_000 });
    expect((await audit('latest', demoted.token)).status).toBe(403);
  });
});

describe('reading', () => {
  test('leaves one record for a request, and one for many of a second', async () => {
    const reader = await somebody('reader', ['auditor']);
    await audit('entries?board=events&limit=5', reader.token);
    const records = () =>
      entries(`actor=${reader.id}&kind=decision&action=audit.read&action=audit.export&order=oldest`);
    await eventually(async () => {
      expect(await records()).toMatchObject([
        { outcome: 'done', detail: { data: { count: 1, rows: 5, requests: ['audit/entries?board=events&limit=5'] } } },
      ]);
    });
    await audit('export?board=events', reader.token);
    await Promise.all(Array.from({ length: 20 }, () => audit('latest?limit=1', reader.token)));
    await eventually(async () => {
      const found = await records();
      const sum = (action: string) =>
        found
          .filter((entry) => entry.action === action)
          .reduce((count, { detail }) => count + (detail as { data: { count: number } }).data.count, 0);
      expect([sum('audit.read'), sum('audit.export')]).toEqual([21, 1]);
      expect(found.length).toBeLessThan(8);
    });
  });

  test('records as a bundle is recorded too', async () => {
    const reader = await somebody('bundler', ['auditor']);
    expect((await audit('tile/entries/000.p/5', reader.token)).status).toBe(200);
    expect((await audit('tile/0/000.p/5', reader.token)).status).toBe(200);
    await eventually(async () => {
      expect(await entries(`actor=${reader.id}&action=audit.read`)).toMatchObject([
        { detail: { data: { count: 1, rows: 5, requests: ['audit/tile/entries/000.p/5'] } } },
      ]);
    });
  });

  test('is refused without the role on every route, and that is recorded', async () => {
    const paths = documentedRoutes.filter(({ access }) => access === 'auditor').map(({ path }) => path);
    expect(paths.length).toBeGreaterThan(12);
    for (const path of paths) {
      const url = site.url + path.replace('{day}', '2026-11-01').replace(/\{\w+\}/g, '1');
      const given = url.includes('consistency') ? `${url}?from=1&to=1` : url;
      const { status } = await call(given, { token: ana.token });
      expect([path, status]).toEqual([path, 403]);
      expect([path, (await call(given)).status]).toEqual([path, 401]);
    }
    await eventually(async () => {
      const [refused] = await entries(`actor=${ana.id}&action=audit.read&outcome=refused`);
      expect(refused).toMatchObject({ origin: expect.stringMatching(/^audit-/) });
    });
  });
});

describe('the day of an entry', () => {
  const dayMs = 86_400_000;
  test.each([
    ['2026-10-25', 50],
    ['2026-03-29', 46],
    ['2026-07-01', 48],
  ])('in Berlin, %s, has %i half hours', async (day, halfHours) => {
    const noon = Date.parse(`${day}T12:00:00Z`);
    const instants = Array.from({ length: 144 }, (_, at) =>
      new Date(noon - 1.5 * dayMs + at * 1_800_000).toISOString(),
    );
    await decide(instants.map((at) => ({ action: 'half.hour', at, board: 'berlin' })));
    await eventually(async () => {
      const { body } = await audit<AuditPage>(`days/${day}?limit=500`);
      const of = body.entries.filter((entry) => entry.action === 'half.hour');
      expect(of).toHaveLength(halfHours);
      expect(new Set(of.map((entry) => `${entry.time_zone} ${entry.day}`))).toEqual(new Set([`Europe/Berlin ${day}`]));
      const local = of.map(({ time }) =>
        new Date(time).toLocaleTimeString('de-DE', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' }),
      );
      expect([local[0], local.at(-1)]).toEqual(['00:00', '23:30']);
    });
  });

  test('without entries is there and empty', async () => {
    const { body } = await audit<AuditPage>('days/2026-05-01');
    expect(body).toMatchObject({ entries: [], next: null });
    const { days } = (await audit<{ days: { day: string; entries: number }[] }>('days?board=berlin')).body;
    expect(days.find(({ day }) => day === '2026-05-01')).toEqual({ day: '2026-05-01', entries: 0 });
    expect(days.find(({ day }) => day === '2026-10-25')).toEqual({ day: '2026-10-25', entries: 50 });
    expect(days.find(({ day }) => day === '2026-03-29')).toEqual({ day: '2026-03-29', entries: 46 });
  });
});

describe('an agent’s decisions', () => {
  const agents = <T>(path: string, token = admin.token) => call<T>(`${site.url}/api/agents/${path}`, { token });
  const decision = (cycle: number, at: string) => ({
    action: 'trading.decision',
    at,
    board: 'berlin',
    actor: 'agent-7',
    detail: {
      trader_id: 'agent-7',
      cycle_number: cycle,
      symbol: 'BTC-USD',
      action: cycle === 2 ? 'HOLD' : 'BUY',
      forced_hold: cycle === 2,
      data_readiness: { level: cycle === 2 ? 'ERROR' : 'OK', reasons: cycle === 2 ? ['stale'] : [] },
      mood: 'calm',
    },
  });

  test('stand in the trading room’s shape, newest first and by the day of the market', async () => {
    await decide([
      decision(1, '2026-06-30T21:30:00.000Z'),
      decision(2, '2026-06-30T22:30:00.000Z'),
      decision(3, '2026-07-01T10:00:00.000Z'),
    ]);
    await eventually(async () => {
      const { status, body } = await agents('agent-7/decision-audit/latest?limit=2');
      expect(status).toBe(200);
      const { data } = decisionAuditLatestSchema.parse(body);
      expect(data.records).toMatchObject([
        { cycle_number: 3, day_key: '2026-07-01', forced_hold: false, mood: 'calm', order_executed: null },
        {
          cycle_number: 2,
          day_key: '2026-07-01',
          forced_hold: true,
          data_readiness: { level: 'ERROR', reasons: ['stale'] },
        },
      ]);
    });
    const { body } = await agents('agent-7/decision-audit/day?day_key=2026-06-30');
    expect(decisionAuditDaySchema.parse(body).data).toMatchObject({ count: 1, records: [{ cycle_number: 1 }] });
    const empty = await agents('agent-7/decision-audit/day?day_key=2026-06-01');
    expect(empty).toMatchObject({ status: 200, body: { success: true, data: { count: 0, records: [] } } });
    expect(await entries('readiness=ERROR&symbol=btc&forced_hold=true')).toMatchObject([{ actor: 'agent-7' }]);
  });

  test.each([
    ['nobody/decision-audit/latest', 404, 'agent_not_registered'],
    ['nobody/decision-audit/day?day_key=2026-06-01', 404, 'agent_not_registered'],
    ['agent-7/decision-audit/day?day_key=2026-02-30', 400, 'invalid_day_key'],
    ['agent-7/decision-audit/day', 400, 'invalid_day_key'],
    ['agent-7/decision-audit/latest?limit=x', 400, 'invalid_limit'],
  ])('%s is answered %i %s', async (path, status, error) => {
    expect(await agents(path)).toMatchObject({ status, body: { success: false, error } });
  });

  test('are for auditors', async () => {
    const refused = await agents('agent-7/decision-audit/latest', ana.token);
    expect(refused).toMatchObject({ status: 403, body: { success: false, error: 'forbidden' } });
  });
});

test('decisions that a service lost before the log are seen in health', async () => {
  const at = new Date().toISOString();
  await decide(
    [
      { number: 1, action: 'a', at },
      { number: 4, action: 'a', at },
    ],
    'applets-lossy',
  );
  const { body } = await audit<AuditHealth>('health');
  expect(body.gap_list).toMatchObject([{ kind: 'decisions', name: 'applets-lossy', first: 2, last: 3 }]);
  expect(body.gaps).toBe(1);
  await decide(
    [
      { number: 2, action: 'a', at },
      { number: 3, action: 'a', at },
    ],
    'applets-lossy',
  );
  expect((await audit<AuditHealth>('health')).body).toMatchObject({ gaps: 0, gap_list: [] });
});
