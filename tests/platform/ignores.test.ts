import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ForeignItem, StoredEvent } from '@boardwire/contracts';
import { ServiceTokens } from '@boardwire/service-kit';
import { eventually, WsReader } from '@boardwire/test-kit';
import { createHash } from 'node:crypto';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

const secret = 'that chat and federation of a test share';
const otherSite = `bs1${'b'.repeat(52)}`;
const bea = `u-bea@${otherSite}`;

let site: TestSite;
let admin: Person;
let ana: Person;
let eve: Person;
let ben: Person;
let elsewhere: string;
const streams: StreamRecorder[] = [];
const sockets: WsReader<Frame>[] = [];

beforeAll(async () => {
  site = await startTestSite({ gateways: 2, env: { INTERNAL_SECRET: secret, HEARTBEAT_MS: '300' } });
  elsewhere = site.site.services['gateway-2']!.publicUrl!;
  admin = await site.admin();
  ana = await signInAsGuest(site.url, 'ana');
  eve = await signInAsGuest(site.url, 'eve');
  ben = await signInAsGuest(site.url, 'ben');
  const rules = [
    { pattern: 'AxonChat.score', class: 'state' },
    { pattern: 'AxonChat.pointer', class: 'ephemeral' },
  ];
  const change = await call(`${site.url}/v1/boards/events`, { method: 'PATCH', token: admin.token, json: { rules } });
  expect(change.status).toBe(200);
}, 60_000);
afterAll(async () => {
  for (const stream of streams) stream.close();
  for (const socket of sockets) socket.close();
  await site?.stop();
}, 30_000);

const ignore = (author: string, method = 'PUT') =>
  call(`${site.url}/v1/me/ignores/${author}`, { method, token: ana.token });

/** What somebody of another site says, as federation hands it over. */
async function sayFromAfar(text: string): Promise<void> {
  const data = { text };
  const salt = createHash('sha256').update(text).digest('hex').slice(0, 32);
  const datahash = createHash('sha256').update(Buffer.from(salt, 'hex')).update(JSON.stringify(data)).digest('hex');
  const said = { type: 'chat.message.posted', subject: 'AxonChat.lobby', data, author: 'u-bea', authorname: 'Bea' };
  const time = '2026-02-03T04:05:06.789Z';
  const item: ForeignItem = { id: text, source: '/users/u-bea', ...said, origin: otherSite, time, salt, datahash };
  const token = await new ServiceTokens('federation', secret).issue('chat');
  const url = `${site.internalUrl('chat')}/internal/v1/boards/events/foreign-events`;
  const { body } = await call<{ outcomes: object[] }>(url, { token, json: { items: [item] } });
  expect(body.outcomes).toMatchObject([{ outcome: 'created' }]);
}

/** Everybody says something, and somebody who is not ignored has the last word. */
async function round(name: string): Promise<string> {
  await say(site.url, eve, `${name} of eve`);
  await sayFromAfar(`${name} of bea`);
  await say(site.url, eve, `${name} shown by eve`, { subject: 'AxonChat.score' });
  await say(site.url, eve, `${name} moved by eve`, { subject: 'AxonChat.pointer' });
  await say(site.url, ben, `${name} moved by ben`, { subject: 'AxonChat.pointer' });
  return (await say(site.url, ben, `${name} of ben`)).body.cursor;
}

const textOf = (json: string) => ((JSON.parse(json) as StoredEvent).data as { text: string }).text;
const textsOf = (stream: StreamRecorder) => stream.events.map(({ data }) => textOf(data!));

async function follow(person: Person, query: string, url = elsewhere): Promise<StreamRecorder> {
  const address = `${url}/v1/boards/events/stream?subject=AxonChat.>&${query}`;
  const stream = new StreamRecorder(address, { token: person.token });
  streams.push(stream);
  await stream.until((it) => it.named('caught_up').length === 1);
  return stream;
}

/** All that somebody is shown of the board's past, by every way there is. */
async function past(person: Person): Promise<string> {
  const url = `${elsewhere}/v1/boards/events`;
  const { token } = person;
  const pages = ['events?limit=500', 'events?after=start&limit=500', 'state'];
  const texts = await Promise.all(
    pages.map(async (path) => {
      const answer = await call(`${url}/${path}`, { token });
      expect(answer.status).toBe(200);
      return answer.text;
    }),
  );
  for (const query of ['after=start', 'last=500', 'snapshot=state']) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const stream = await follow(person, query);
    stream.close();
    texts.push(...stream.blocks.map(({ data }) => data ?? ''));
  }
  return texts.join('\n');
}

describe('whom somebody ignores', () => {
  test('is not on their open streams and sockets from then on, and cursors go on', async () => {
    const [mine, his] = [await follow(ana, 'last=0'), await follow(ben, 'last=0')];
    const socket = await WsReader.open<Frame>(`${elsewhere.replace('http', 'ws')}/v1/ws`, {
      protocols: ['boardwire.v1'],
      headers: { authorization: `Bearer ${ana.token}` },
    });
    sockets.push(socket);
    socket.send({ type: 'subscribe', sub: 's', board: 'events', subjects: ['AxonChat.>'], last: 0 });
    await socket.until(({ type }) => type === 'caught_up');
    await round('before');
    await mine.until((it) => textsOf(it).includes('before of ben'));
    expect(textsOf(mine)).toEqual(expect.arrayContaining(['before of eve', 'before of bea', 'before shown by eve']));

    for (const author of [eve.id, bea]) expect((await ignore(author)).status).toBe(204);
    // Known on the other gateway when its history leaves them out.
    await eventually(async () => expect(await past(ana)).not.toMatch(/eve"|bea"/), { timeoutMs: 15_000 });
    const end = await round('after');
    await mine.until((it) => textsOf(it).includes('after of ben') && textsOf(it).includes('after moved by ben'));
    await his.until((it) => textsOf(it).includes('after of ben') && textsOf(it).includes('after moved by eve'));
    expect(textsOf(mine).filter((text) => /^after.*(?:eve|bea)$/.test(text))).toEqual([]);
    expect(textsOf(his)).toEqual(
      expect.arrayContaining(['after of eve', 'after of bea', 'after shown by eve', 'after moved by eve']),
    );
    await socket.until(({ type, event }) => type === 'event' && JSON.stringify(event).includes('after of ben'));
    expect(JSON.stringify(socket.frames)).toContain('before of eve');
    expect(JSON.stringify(socket.frames)).not.toMatch(/after \w+(?: by)? (?:eve|bea)/);
    // Somebody ignored has the last word: what a client comes back with passes it all the same.
    const { body } = await say(site.url, eve, 'a last word');
    expect(body.seq).toBeGreaterThan(Number(end.split('-')[1]));
    await mine.until(({ lastEventId }) => lastEventId === body.cursor);
    expect(textsOf(mine)).not.toContain('a last word');
  });

  test('is in no page, state or replay of theirs, and in all of others’', async () => {
    const [mine, his] = [await past(ana), await past(ben)];
    expect(mine).toContain('after of ben');
    expect(mine).not.toMatch(/ eve"| bea"|a last word/);
    for (const text of ['before of eve', 'after of bea', 'after shown by eve', 'a last word'])
      expect(his).toContain(text);
    const url = `${elsewhere}/v1/boards/events/stream?subject=AxonChat.lobby&last=1`;
    const newest = new StreamRecorder(url, { token: ana.token });
    streams.push(newest);
    await newest.until((it) => it.named('caught_up').length === 1);
    expect(textsOf(newest)).toEqual(['after of ben']);
    const old = new StreamRecorder(`${elsewhere}/api/chat/events/?token=${ana.token}&tz=UTC`, { token: ana.token });
    streams.push(old);
    await old.until(({ blocks }) => blocks.some(({ data }) => data !== undefined));
    expect(old.blocks[0]!.data).not.toMatch(/of eve|of bea/);
  });

  test('is told to nobody else, comes back when they say so, and is not missed in removals', async () => {
    const { text } = await call(`${site.url}/v1/me/ignores`, { token: eve.token });
    expect(JSON.parse(text)).toEqual({ authors: [] });
    const { body } = await say(site.url, eve, 'to be removed');
    const stream = await follow(ana, `after=${body.cursor}`);
    const path = `/v1/boards/events/events/${body.cursor}`;
    expect((await call(site.url + path, { method: 'DELETE', token: eve.token })).status).toBe(204);
    await stream.until((it) => it.events.some(({ data }) => data!.includes(`"id":"${body.id}"`)));
    for (const author of [eve.id, bea]) expect((await ignore(author, 'DELETE')).status).toBe(204);
    await eventually(
      async () => {
        const text = await past(ana);
        for (const said of ['after of eve', 'after of bea']) expect(text).toContain(said);
      },
      { timeoutMs: 15_000 },
    );
  });
});
