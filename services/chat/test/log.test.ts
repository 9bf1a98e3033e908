import { setTimeout as sleep } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  boardsStream,
  matchesFilter,
  type AppendOutcome,
  type HistoryPage,
  type StoredEvent,
} from '@boardwire/contracts';
import { connectBus, type Bus } from '@boardwire/messaging';
import { eventually, seededRandom } from '@boardwire/test-kit';
import { ChatSite, event, siteId, type ChatReplica } from './chat-site.ts';

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

const seqOf = (outcome: AppendOutcome) => (outcome.outcome === 'refused' ? undefined : outcome.seq);

describe('a site from the start', () => {
  it('has the boards events, forum and site', async () => {
    const { body } = await chat.call<{ boards: { slug: string; id: number; title: string }[] }>(
      'GET',
      '/internal/v1/boards',
    );
    expect(body.boards.map(({ slug, id, title }) => [slug, id, title])).toEqual(
      expect.arrayContaining([
        ['events', 8, 'Realtime Event Board'],
        ['forum', 9, 'Forum'],
      ]),
    );
    expect(body.boards.some(({ slug }) => slug === 'site')).toBe(true);
  });

  it('refuses who has no service token', async () => {
    expect((await fetch(`${chat.service.internalUrl}/internal/v1/sync`)).status).toBe(401);
  });
});

describe('append', () => {
  it('stores the final bytes and proves their data by a salted hash', async () => {
    const slug = await board('bytes');
    const [outcome] = await chat.outcomes(slug, [event({ id: 'one', data: { text: 'a "ü" \u0000 \ud800' } })]);
    expect(outcome).toMatchObject({ outcome: 'created', id: 'one', seq: 1 });
    const [item] = await chat.log(slug);
    const stored = JSON.parse(item!.body!) as StoredEvent;
    expect(stored).toEqual({
      specversion: '1.0',
      id: 'one',
      source: '/users/ana',
      type: 'chat.message.posted',
      subject: 'AxonChat.lobby',
      time: outcome!.outcome === 'created' ? outcome!.time : '',
      datacontenttype: 'application/json',
      data: { text: 'a "ü" \u0000 \ud800' },
      board: 'bytes',
      author: 'ana',
      authorname: 'Ana',
      origin: siteId,
      class: 'log',
    });
    expect(item!.datahash).toMatch(/^[0-9a-f]{64}$/);
    expect(item!.datahash).not.toBe(createHash('sha256').update(JSON.stringify(stored.data)).digest('hex'));
  });

  it('answers a repeat with the first seq, and the same id with other content as a conflict', async () => {
    const slug = await board('repeats');
    const first = event();
    const changed = { ...first, data: 'other' };
    const [created, repeated, conflict] = await chat.outcomes(slug, [first, { ...first }, changed]);
    expect(created).toMatchObject({ outcome: 'created', seq: 1 });
    expect(repeated).toEqual({ ...created, outcome: 'repeated' });
    expect(conflict).toMatchObject({ outcome: 'refused', code: 'event_conflict' });
    expect(await other.outcomes(slug, [event(), first, changed])).toMatchObject([
      { outcome: 'created', seq: 2 },
      { outcome: 'repeated', seq: 1, time: created!.outcome === 'created' ? created!.time : '' },
      { outcome: 'refused', code: 'event_conflict' },
    ]);
    expect(await chat.log(slug)).toHaveLength(2);
  });

  it('keys of different sources and boards are different events', async () => {
    const slug = await board('sources');
    const mine = event({ id: 'same' });
    const outcomes = await chat.outcomes(slug, [mine, { ...mine, source: '/users/bob' }]);
    expect(outcomes.map(seqOf)).toEqual([1, 2]);
  });

  it('classes follow the board’s rules, and what is ephemeral is never stored', async () => {
    const slug = await board('classes', [
      { pattern: 'state.>', class: 'state' },
      { pattern: 'typing.>', class: 'ephemeral' },
    ]);
    const outcomes = await chat.outcomes(slug, [
      event({ subject: 'state.a' }),
      event({ subject: 'typing.a' }),
      event({ subject: 'other' }),
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['created', 'refused', 'created']);
    expect((await chat.log(slug)).map((item) => item.class)).toEqual(['state', 'log']);
  });

  it('refuses unknown boards, foreign writers on the operators’ board, and bad items', async () => {
    expect(await chat.append('nowhere', [event()])).toMatchObject({ status: 404, body: { code: 'board_unknown' } });
    expect(await chat.append('site', [event()])).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect((await chat.append('site', [event()], 'federation')).status).toBe(200);
    expect((await chat.append('events', [event({ subject: 'a.*' })])).status).toBe(400);
    expect((await chat.append('events', [event({ type: 'a b' })])).status).toBe(400);
    expect(await chat.outcomes('events', [event({ data: 'x'.repeat(80_000) })])).toMatchObject([
      { outcome: 'refused', code: 'too_large' },
    ]);
  });

  it('gives 10,000 events of eight publishers on two replicas seq 1…10,000 without a hole', async () => {
    const slug = await board('dense');
    const seen = new Map<number, string>();
    const publish = async (publisher: number) => {
      const replica = publisher % 2 === 0 ? chat : other;
      for (let at = 0; at < 1_250; at += 25) {
        const items = Array.from({ length: 25 }, (_, n) => event({ id: `p${publisher}-${at + n}` }));
        for (const outcome of await replica.outcomes(slug, items)) {
          if (outcome.outcome !== 'created') throw new Error(JSON.stringify(outcome));
          expect(seen.has(outcome.seq)).toBe(false);
          seen.set(outcome.seq, outcome.id);
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, publisher) => publish(publisher)));
    const log = await chat.log(slug);
    expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: 10_000 }, (_, n) => n + 1));
    for (const item of log) expect((JSON.parse(item.body!) as StoredEvent).id).toBe(seen.get(item.seq));
    // Each publisher's own order is kept.
    const ids = log.map((item) => (JSON.parse(item.body!) as StoredEvent).id);
    const own = ids.filter((id) => id.startsWith('p3-'));
    expect(own).toEqual(Array.from({ length: 1_250 }, (_, n) => `p3-${n}`));
  }, 60_000);

  it('two replicas that get the same ids at the same moment store each once', async () => {
    const slug = await board('races');
    for (let round = 0; round < 20; round += 1) {
      const items = Array.from({ length: 20 }, (_, n) => event({ id: `r${round}-${n}`, data: { n } }));
      const answers = await Promise.all([
        chat.outcomes(slug, items),
        other.outcomes(slug, items.toReversed()),
        other.outcomes(slug, items),
      ]);
      const seqs = answers.map((outcomes, at) => (at === 1 ? outcomes.toReversed() : outcomes).map(seqOf));
      expect(seqs[1]).toEqual(seqs[0]);
      expect(seqs[2]).toEqual(seqs[0]);
      const created = answers.flat().filter(({ outcome }) => outcome === 'created');
      expect(created).toHaveLength(20);
    }
    expect(await chat.log(slug)).toHaveLength(400);
  });
});

describe('history', () => {
  it('pages both ways by filters and types, newest per subject first looked up', async () => {
    const slug = await board('pages');
    const items = Array.from({ length: 300 }, (_, n) =>
      event({ subject: n % 10 === 0 ? `rare.${n % 3}` : 'busy.x', type: n % 2 === 0 ? 'even' : 'odd', data: n }),
    );
    await chat.outcomes(slug, items);
    const history = async (json: Record<string, unknown>) => {
      const { status, body } = await chat.call<HistoryPage>('POST', `/internal/v1/boards/${slug}/history`, { json });
      expect(status).toBe(200);
      return { seqs: body.items.map(({ seq }) => seq), more: body.more, count: body.count };
    };
    const rare = Array.from({ length: 30 }, (_, n) => n * 10 + 1);
    expect(await history({ subjects: ['rare.*'], limit: 50 })).toMatchObject({ seqs: rare, more: false });
    expect(await history({ subjects: ['rare.>'], limit: 5 })).toMatchObject({ seqs: rare.slice(-5), more: true });
    expect(await history({ subjects: ['rare.>'], after: 11, limit: 3 })).toMatchObject({
      seqs: [21, 31, 41],
      more: true,
    });
    expect(await history({ subjects: ['rare.>'], before: 31, limit: 2 })).toMatchObject({ seqs: [11, 21], more: true });
    expect(await history({ subjects: ['rare.>'], after: 250, upTo: 271, limit: 9 })).toMatchObject({
      seqs: [251, 261, 271],
      more: false,
    });
    expect(await history({ subjects: ['rare.1', 'rare.2'], types: ['odd'], limit: 9 })).toMatchObject({ seqs: [] });
    expect(await history({ subjects: ['busy'], limit: 9 })).toMatchObject({ seqs: [], more: false });
    expect(await history({ subjects: ['>'], limit: 2 })).toMatchObject({ seqs: [299, 300], more: true });
    expect(await history({ subjects: ['rare.>'], after: 100, limit: 2, countMax: 1_000 })).toMatchObject({
      seqs: [101, 111],
      count: 20,
    });
    expect(await history({ subjects: ['>'], after: 0, limit: 2, countMax: 100 })).toMatchObject({ count: 100 });
    expect(await history({ subjects: ['>'], after: 10, upTo: 20, limit: 2, countMax: 100 })).toMatchObject({
      count: 10,
    });
  });

  it('answers random queries as a plain look through the whole log would', async () => {
    const random = seededRandom();
    const slug = await board('random');
    const tokens = ['a', 'b', 'c'];
    const subject = () => Array.from({ length: random.integer(1, 3) }, () => random.pick(tokens)).join('.');
    const items = Array.from({ length: 400 }, () => event({ subject: subject(), type: random.pick(tokens) }));
    await chat.outcomes(slug, items);
    const log = await chat.log(slug);
    for (let round = 0; round < 60; round += 1) {
      const filter = () => random.pick(['>', '*', 'a.>', '*.b', 'a.*.c', 'b', 'c.c', '*.*.>']);
      const direction = random.pick([{}, { after: random.integer(0, 400) }, { before: random.integer(0, 410) }]);
      const query = {
        subjects: Array.from({ length: random.integer(1, 3) }, filter),
        ...(random.next() < 0.4 ? { types: [random.pick(tokens)] } : {}),
        ...(random.next() < 0.3 ? { upTo: random.integer(1, 400) } : {}),
        ...direction,
        limit: random.integer(1, 60),
      };
      const {
        after = 0,
        before = Infinity,
        upTo = Infinity,
        types,
      } = query as typeof query & {
        after?: number;
        before?: number;
      };
      const matching = log.filter(
        (item) =>
          query.subjects.some((one) => matchesFilter(one, item.subject)) &&
          (types?.includes(item.type) ?? true) &&
          item.seq > after &&
          item.seq < before &&
          item.seq <= upTo,
      );
      const expected = 'after' in query ? matching.slice(0, query.limit) : matching.slice(-query.limit);
      const { body } = await chat.call<HistoryPage>('POST', `/internal/v1/boards/${slug}/history`, { json: query });
      expect(body.items).toEqual(expected);
      expect(body.more).toBe(matching.length > query.limit);
    }
  });

  it('state is the newest event of each state subject', async () => {
    const slug = await board('states', [{ pattern: 'screen.>', class: 'state' }]);
    await chat.outcomes(slug, [
      event({ subject: 'screen.a', data: 1 }),
      event({ subject: 'screen.b', data: 2 }),
      event({ subject: 'screen.a', data: 3, type: 'other' }),
      event({ subject: 'chat', data: 4 }),
    ]);
    const { body } = await chat.call<HistoryPage>('POST', `/internal/v1/boards/${slug}/state`, {
      json: { subjects: ['>'] },
    });
    expect(body.items.map(({ seq, subject }) => [seq, subject])).toEqual([
      [2, 'screen.b'],
      [3, 'screen.a'],
    ]);
  });

  it('refuses what is no filter', async () => {
    const json = { subjects: ['a.>.b'], limit: 5 };
    expect(await chat.call('POST', '/internal/v1/boards/events/history', { json })).toMatchObject({
      status: 400,
      body: { code: 'invalid_filter' },
    });
  });
});

describe('sync', () => {
  it('answers everything first, then what changed, and waits for it', async () => {
    const first = await chat.sync();
    expect(first.full).toBe(true);
    expect(first.boards.map(({ slug }) => slug)).toEqual(expect.arrayContaining(['events', 'forum', 'site']));
    let { version } = first;
    const forumAppears = async () => {
      for (;;) {
        const changed = await chat.sync(version, 1_000);
        version = changed.version;
        if (changed.boards.some(({ slug, head }) => slug === 'forum' && head > 0)) return changed;
      }
    };
    const waiting = forumAppears();
    await sleep(60);
    const began = performance.now();
    await other.outcomes('forum', [event()]);
    const changed = await waiting;
    expect(performance.now() - began).toBeLessThan(500);
    expect(changed.full).toBe(false);
  });

  it('answers a version of another process with everything', async () => {
    expect((await other.sync((await chat.sync()).version)).full).toBe(true);
    expect((await chat.sync('nonsense')).full).toBe(true);
  });

  it('tells the new rules of a board', async () => {
    const slug = await board('changing');
    let { version } = await other.sync();
    const rules = [{ pattern: 'a.>', class: 'state', access: 'members' }];
    await chat.call('PATCH', `/internal/v1/boards/${slug}`, { json: { rules } });
    await eventually(async () => {
      const changed = await other.sync(version, 500);
      version = changed.version;
      expect(changed.boards.find((one) => one.slug === slug)?.rules).toEqual(rules);
    });
    expect(await other.outcomes(slug, [event({ subject: 'a.b' })])).toMatchObject([{ outcome: 'created' }]);
    expect((await other.log(slug))[0]!.class).toBe('state');
  });
});

describe('the relay', () => {
  const mirrored = async (slug: string) => {
    const last = await bus.streams.lastBySubject(boardsStream.name, `board.${slug}.>`);
    return last === undefined ? 0 : Number(last.headers.get('Board-Seq'));
  };

  it('mirrors an event within milliseconds, under its headers', async () => {
    const slug = await board('mirrored');
    await chat.outcomes(slug, [event({ id: 'headers' })]);
    await eventually(async () => expect(await mirrored(slug)).toBe(1));
    const message = (await bus.streams.lastBySubject(boardsStream.name, `board.${slug}.>`))!;
    const [item] = await chat.log(slug);
    const { epoch } = (await chat.sync()).boards.find((one) => one.slug === slug)!;
    expect(message.subject).toBe(`board.${slug}.AxonChat.lobby`);
    expect(Buffer.from(message.data).toString()).toBe(item!.body);
    expect(message.headers.get('Nats-Msg-Id')).toBe(`${slug}:${epoch}:1`);
    expect(message.headers.get('Board-Epoch')).toBe(epoch);
    expect(message.headers.get('Event-Type')).toBe('chat.message.posted');
    expect(message.headers.get('Event-Class')).toBe('log');
    expect(Number(message.headers.get('Event-Time'))).toBe(item!.committedMs);
  });

  it('makes a deleted stream again and goes on', async () => {
    const slug = await board('deleted');
    await chat.outcomes(slug, [event()]);
    await eventually(async () => expect(await mirrored(slug)).toBe(1));
    await bus.streams.delete(boardsStream.name);
    await chat.outcomes(slug, [event(), event()]);
    await eventually(async () => expect(await mirrored(slug)).toBe(3), { timeoutMs: 8_000 });
    await eventually(async () => {
      expect((await other.sync()).boards.find((one) => one.slug === slug)!.relayed).toBe(3);
    });
  });

  it('keeps accepting while NATS is down, is degraded, and catches up', async () => {
    const slug = await board('outage');
    await site.infrastructure.nats.kill();
    const outcomes = await chat.outcomes(
      slug,
      Array.from({ length: 200 }, () => event()),
    );
    expect(outcomes.map(seqOf)).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
    await eventually(async () => {
      const report = (await (await fetch(`${chat.service.internalUrl}/readyz`)).json()) as { status: string };
      expect(report.status).toBe('degraded');
    });
    expect(await chat.isReady()).toBe(true);
    await site.infrastructure.nats.start();
    await eventually(async () => expect(await mirrored(slug)).toBe(200), { timeoutMs: 15_000 });
    await eventually(async () => {
      expect((await other.sync()).boards.find((one) => one.slug === slug)!.relayed).toBe(200);
    });
  }, 40_000);
});
