import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  appendResponseSchema,
  boardsStream,
  boardSubject,
  rangePageSchema,
  redactedType,
  type AppendOutcome,
  type ForeignItem,
  type RangeItem,
  type StoredEvent,
} from '@boardwire/contracts';
import { connectBus, type Bus } from '@boardwire/messaging';
import { eventually, seededRandom } from '@boardwire/test-kit';
import { ChatSite, event, siteId, type ChatReplica } from './chat-site.ts';
import { foreignItem, hashOf, otherSite, thirdSite } from './foreign-item.ts';

let site: ChatSite;
let chat: ChatReplica;
let other: ChatReplica;
let bus: Bus;

const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

beforeAll(async () => {
  site = await ChatSite.start();
  [chat, other] = await Promise.all([site.replica(), site.replica()]);
  const { NATS_URL: url, NATS_TOKEN: token } = site.infrastructure.env;
  bus = await connectBus({ url, token, name: 'test', logger });
}, 60_000);

afterAll(async () => {
  await bus?.close();
  await site?.stop();
}, 30_000);

async function board(slug: string, rules: unknown[] = []): Promise<string> {
  const { status } = await chat.call('POST', '/internal/v1/boards', { json: { slug, title: slug, rules } });
  expect(status).toBe(201);
  return slug;
}

const append = (slug: string, items: readonly unknown[], { caller = 'federation', at = chat } = {}) =>
  at.call('POST', `/internal/v1/boards/${slug}/foreign-events`, { json: { items }, caller });

async function outcomes(slug: string, items: readonly unknown[], at = chat): Promise<AppendOutcome[]> {
  const { status, body } = await append(slug, items, { at });
  expect({ status, body }).toMatchObject({ status: 200 });
  return appendResponseSchema.parse(body).outcomes;
}

async function outcome(slug: string, item: unknown): Promise<AppendOutcome> {
  return (await outcomes(slug, [item]))[0]!;
}

const range = (slug: string, query: string, caller: string) =>
  chat.call('GET', `/internal/v1/boards/${slug}/range?from=1&${query}`, { caller });

async function salted(slug: string): Promise<RangeItem[]> {
  return rangePageSchema.parse((await range(slug, 'salts=true', 'federation')).body).items;
}

describe('an event of another site', () => {
  it('is stored as it was accepted there, under the next seq of the board', async () => {
    const slug = await board('foreign');
    await chat.outcomes(slug, [event()]);
    const item = foreignItem({ id: 'far', data: { b: 1, a: 'ü "\u0000\ud800' }, extensions: { trace: 'x', n: 5 } });
    expect(await outcome(slug, item)).toMatchObject({ outcome: 'created', id: 'far', seq: 2, time: item.time });
    const stored = (await salted(slug))[1]!;
    expect(stored).toMatchObject({ seq: 2, datahash: item.datahash, salt: item.salt, class: 'log' });
    expect(JSON.parse(stored.body!) as StoredEvent).toEqual({
      specversion: '1.0',
      id: 'far',
      source: item.source,
      type: item.type,
      subject: item.subject,
      time: item.time,
      datacontenttype: 'application/json',
      trace: 'x',
      n: 5,
      data: item.data,
      board: slug,
      author: 'u-bea',
      authorname: 'Bea',
      origin: otherSite,
      class: 'log',
    });
    const rows = await site.query(
      `SELECT origin FROM event JOIN board b ON b.id = board_id WHERE slug = '${slug}' ORDER BY seq`,
    );
    expect(rows).toEqual([{ origin: null }, { origin: otherSite }]);
  });

  it.each<[string, Partial<ForeignItem>]>([
    ['text', { data: 'ü', datacontenttype: 'text/plain' }],
    ['bytes', { data: undefined, data_base64: '/wA=', datacontenttype: 'image/png' }],
    ['nothing', { data: undefined }],
    ['null', { data: null }],
    ['numbers in the order of their keys', { data: { 10: 1.0, 9: -0, x: 1e21 } }],
  ])('keeps the hash of its data: %s', async (_what, content) => {
    const item = foreignItem(content);
    expect(await outcome('events', item)).toMatchObject({ outcome: 'created' });
    const { body } = await range('events', 'salts=true', 'federation');
    const stored = rangePageSchema.parse(body).items.at(-1)!;
    expect(stored.datahash).toBe(item.datahash);
    expect(hashOf(stored.salt!, JSON.parse(stored.body!) as StoredEvent & { author: string })).toBe(item.datahash);
  });

  it('opens its hash to audit as an event of the site does', async () => {
    const slug = await board('disclosed');
    const item = foreignItem({ data: { text: 'shown' } });
    await outcome(slug, item);
    const { status, body } = await chat.call('GET', `/internal/v1/boards/${slug}/events/1/disclosure`, {
      caller: 'audit',
    });
    expect({ status, body }).toEqual({
      status: 200,
      body: { salt: item.salt, data: Buffer.from('{"text":"shown"}').toString('base64') },
    });
  });

  it('is mirrored like any other', async () => {
    const slug = await board('relayed');
    const item = foreignItem();
    await outcome(slug, item);
    await eventually(async () => {
      const last = await bus.streams.lastBySubject(boardsStream.name, boardSubject(slug, item.subject));
      expect(JSON.parse(Buffer.from(last?.data ?? []).toString() || '{}')).toMatchObject({
        id: item.id,
        origin: otherSite,
        time: item.time,
      });
    });
  });

  it('is taken whatever its time says', async () => {
    const times = ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '2026-02-03T04:05:06+05:30'];
    for (const time of times) {
      expect(await outcome('events', foreignItem({ time }))).toMatchObject({ outcome: 'created', time });
    }
  });
});

describe('a repeat', () => {
  it('is known by origin, source and id, inside a batch and on another replica', async () => {
    const slug = await board('repeated');
    const item = foreignItem({ id: 'same' });
    const elsewhere = foreignItem({ ...item, origin: thirdSite });
    const [first, again, third] = await outcomes(slug, [item, item, elsewhere]);
    expect(first).toMatchObject({ outcome: 'created', seq: 1, time: item.time });
    expect(again).toEqual({ ...first, outcome: 'repeated' });
    expect(third).toMatchObject({ outcome: 'created', seq: 2 });
    expect(await outcomes(slug, [item], other)).toEqual([{ ...first, outcome: 'repeated' }]);
    const { source, id } = item;
    expect(await chat.outcomes(slug, [event({ source, id })])).toMatchObject([{ outcome: 'created', seq: 3 }]);
    expect(await chat.log(slug)).toHaveLength(3);
  });

  it('with other content is refused', async () => {
    const slug = await board('conflicting');
    const item = foreignItem({ id: 'same' });
    const changed = foreignItem({ id: 'same', data: 'other' });
    expect(await outcomes(slug, [item, changed])).toMatchObject([
      { outcome: 'created' },
      { outcome: 'refused', id: 'same', code: 'event_conflict' },
    ]);
  });

  it('gives each of 400 events one seq, in order, when two replicas are handed the same ones at once', async () => {
    const random = seededRandom();
    const slug = await board('twice');
    const items = Array.from({ length: 400 }, () => foreignItem());
    const handOver = async (at: ChatReplica) => {
      for (let from = 0; from < items.length;) {
        const size = random.integer(1, 60);
        await Promise.all([
          outcomes(slug, items.slice(from, from + size), at),
          // What is posted here meanwhile shares commits with it.
          at.outcomes(slug, [event()]),
        ]);
        from += size;
      }
    };
    await Promise.all([handOver(chat), handOver(other)]);
    const log = await chat.log(slug);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, at) => at + 1));
    const foreign = log.map(({ body }) => JSON.parse(body!) as StoredEvent).filter(({ origin }) => origin !== siteId);
    expect(foreign.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
  });
});

describe('what is refused', () => {
  it('comes from anybody but federation', async () => {
    for (const caller of ['gateway', 'audit', 'applets', 'chat', 'operator']) {
      const refused = { status: 403, body: { code: 'forbidden' } };
      expect(await append('events', [foreignItem()], { caller })).toMatchObject(refused);
      expect(await range('events', 'salts=true', caller)).toMatchObject(refused);
      expect((await range('events', 'salts=false', caller)).status).toBe(200);
    }
  });

  it.each<[string, Partial<ForeignItem>, string]>([
    ['has another hash than its data', { datahash: 'f'.repeat(64) }, 'invalid_event'],
    [
      'has the hash of another salt',
      { salt: '0'.repeat(32), datahash: hashOf('1'.repeat(32), {} as never) },
      'invalid_event',
    ],
    ['comes from this very site', { origin: siteId }, 'forbidden'],
    ['is a direct message', { subject: 'dm.ana' }, 'forbidden'],
    ['is said in private', { subject: 'room.7.chat.private.ana' }, 'forbidden'],
    ['is a notification', { subject: 'Notifications.ana' }, 'forbidden'],
    ['names no site', { origin: 'somewhere' }, 'invalid_event'],
    ['has a wildcard in its subject', { subject: 'a.*' }, 'invalid_event'],
    ['has no time', { time: undefined as never }, 'invalid_event'],
    ['speaks under a name of the board', { extensions: { author: 'admin' } }, 'invalid_event'],
    ['hides an attribute among its extensions', { extensions: { time: '2026-01-01T00:00:00Z' } }, 'invalid_event'],
    ['breaks out of an extension’s name', { extensions: { 'x":1,"origin': 'me' } }, 'invalid_event'],
    ['has data twice', { data: 1, data_base64: 'AAAA' }, 'invalid_event'],
    ['has data that is no base64', { data: undefined, data_base64: '"},{"' }, 'invalid_event'],
    ['has an attribute that nobody knows', { seq: 5 } as never, 'invalid_event'],
    ['is too large', { data: 'x'.repeat(80_000) }, 'too_large'],
  ])('%s', async (_what, overrides, code) => {
    const item = foreignItem(overrides);
    const before = await chat.log('events');
    expect(await outcome('events', item)).toMatchObject({ outcome: 'refused', id: item.id, code });
    expect(await chat.log('events')).toHaveLength(before.length);
  });

  it('is for the operators’ board', async () => {
    const before = await chat.log('site');
    expect(await outcome('site', foreignItem())).toMatchObject({ outcome: 'refused', code: 'forbidden' });
    expect(await chat.log('site')).toHaveLength(before.length);
  });

  it('is ephemeral here, or for members alone', async () => {
    const slug = await board('guarded', [
      { pattern: 'typing.>', class: 'ephemeral' },
      { pattern: 'club.>', access: 'members' },
      { pattern: 'screen.>', class: 'state' },
    ]);
    const subjects = ['typing.ana', 'club.vault', 'screen.a'];
    expect(
      await outcomes(
        slug,
        subjects.map((subject) => foreignItem({ subject })),
      ),
    ).toMatchObject([
      { outcome: 'refused', code: 'invalid_event' },
      { outcome: 'refused', code: 'forbidden' },
      { outcome: 'created' },
    ]);
    expect((await chat.log(slug)).map((item) => item.class)).toEqual(['state']);
  });

  it('never fails what it came with', async () => {
    const slug = await board('mixed');
    const bad = [null, 5, {}, { id: 7 }, foreignItem({ datahash: '0'.repeat(64) }), foreignItem({ subject: 'dm.x' })];
    const answers = await outcomes(slug, [foreignItem(), ...bad, foreignItem()]);
    expect(answers.map((answer) => answer.outcome)).toEqual(['created', ...bad.map(() => 'refused'), 'created']);
    expect(await chat.log(slug)).toHaveLength(2);
  });

  it('is a batch for no board, without items, or of too many', async () => {
    expect(await append('nowhere', [foreignItem()])).toMatchObject({ status: 404, body: { code: 'board_unknown' } });
    expect((await append('events', [])).status).toBe(400);
    expect(
      (
        await append(
          'events',
          Array.from({ length: 513 }, () => 0),
        )
      ).status,
    ).toBe(400);
  });
});

describe('a removed event of another site', () => {
  it('leaves its proof and no salt, and is not stored again when it is handed over once more', async () => {
    const slug = await board('removed');
    const item = foreignItem({ data: { text: 'a secret' } });
    await outcomes(slug, [item, foreignItem()]);
    expect((await chat.call('DELETE', `/internal/v1/boards/${slug}/events/1`, { caller: 'audit' })).status).toBe(204);
    const [removed, kept] = await salted(slug);
    expect(removed).toMatchObject({ seq: 1, datahash: item.datahash, removed: { id: item.id } });
    expect(removed).not.toHaveProperty('salt');
    expect(removed).not.toHaveProperty('body');
    expect(kept!.salt).toMatch(/^[0-9a-f]{32}$/);
    expect(await outcomes(slug, [item], other)).toMatchObject([{ outcome: 'repeated', id: item.id, seq: 1 }]);
    // The third is what readers are told of it.
    expect((await chat.log(slug)).map(({ type }) => type)).toEqual([item.type, item.type, redactedType]);
  });
});

describe('somebody who is banned from a board', () => {
  const ban = (slug: string, banned: string[]) =>
    chat.call('PATCH', `/internal/v1/boards/${slug}`, { json: { banned }, caller: 'federation' });

  it('is refused there, whether of this site or another, until the ban is lifted; what was left out stays out', async () => {
    const slug = await board('banned');
    expect((await ban(slug, ['ana', `u-bea@${otherSite}`, `@${thirdSite}`])).status).toBe(200);
    const refused = { outcome: 'refused', code: 'forbidden', detail: 'banned from this board' };
    const [bea, carl, third] = [{}, { author: 'u-carl' }, { origin: thirdSite }].map(foreignItem);
    expect(await outcomes(slug, [bea, carl, third])).toMatchObject([refused, { outcome: 'created' }, refused]);
    const [own, bert] = [event(), event({ author: 'bert', source: '/users/bert' })];
    expect(await chat.outcomes(slug, [own, bert])).toMatchObject([refused, { outcome: 'created' }]);
    const redaction = foreignItem({ type: redactedType, source: '/redactions', origin: thirdSite });
    expect(await outcome(slug, redaction)).toMatchObject({ outcome: 'created' });
    await ban(slug, []);
    expect(await outcomes(slug, [foreignItem(), foreignItem({ origin: thirdSite })])).toMatchObject([
      { outcome: 'created' },
      { outcome: 'created' },
    ]);
    expect((await chat.log(slug)).map(({ body }) => (JSON.parse(body!) as { id: string }).id)).not.toContain(bea!.id);
  });

  it.each(['bs1@bs1', 'a@elsewhere', '@', '', 'a\u0000'])('is not named as %j', async (name) => {
    expect((await ban(await board(`named-${Math.random().toString(36).slice(2)}`), [name])).status).toBe(400);
  });
});

describe('what another site has removed', () => {
  const redact = (slug: string, items: object[], caller = 'federation') =>
    chat.call('POST', `/internal/v1/boards/${slug}/redactions`, { json: { items }, caller });

  it('is gone here, whoever’s event it was, once and without a second event that tells of it', async () => {
    const slug = await board('redacted');
    const theirs = foreignItem({ data: { text: 'theirs' } });
    const ours = event({ data: { text: 'ours' } });
    await outcomes(slug, [theirs]);
    await chat.outcomes(slug, [ours]);
    const items = [
      { origin: otherSite, source: theirs.source, id: theirs.id, by: 'somebody' },
      { origin: siteId, source: ours.source, id: ours.id, by: 'somebody' },
      { origin: thirdSite, source: ours.source, id: ours.id, by: 'somebody' },
    ];
    for (const caller of ['gateway', 'audit']) expect((await redact(slug, items, caller)).status).toBe(403);
    expect((await redact(slug, items)).status).toBe(204);
    expect((await redact(slug, items)).status).toBe(204);
    const log = await chat.log(slug);
    expect(log.map(({ body, removed }) => [body, removed?.id])).toEqual([
      [undefined, theirs.id],
      [undefined, ours.id],
    ]);
  });

  it('is never that something was removed, which nobody publishes but the platform', async () => {
    const slug = await board('redactions');
    const data = { origin: siteId, source: '/users/ana', id: 'x' };
    const item = foreignItem({ type: redactedType, source: '/redactions', data });
    expect(await outcome(slug, item)).toMatchObject({ outcome: 'created' });
    await redact(slug, [{ origin: otherSite, source: item.source, id: item.id, by: 'somebody' }]);
    expect((await chat.log(slug))[0]!.body).toContain(redactedType);
    const [refused] = await chat.outcomes(slug, [event({ type: redactedType, data })]);
    expect(refused).toMatchObject({ outcome: 'refused', code: 'forbidden' });
  });
});

describe('a range with salts', () => {
  it('proves the data of the site’s own events, and without being asked has none', async () => {
    const slug = await board('salted');
    await chat.outcomes(slug, [event({ data: { text: 'ours' } }), event({ data: undefined, data_base64: '/wA=' })]);
    for (const { salt, body, datahash } of await salted(slug)) {
      expect(hashOf(salt!, JSON.parse(body!) as StoredEvent & { author: string })).toBe(datahash);
    }
    const plain = rangePageSchema.parse((await range(slug, '', 'federation')).body).items;
    expect(plain).toHaveLength(2);
    for (const item of plain) expect(item).not.toHaveProperty('salt');
    expect((await range(slug, 'salts=maybe', 'federation')).status).toBe(400);
  });
});
