import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SseReader } from '@boardwire/test-kit';
import { CloudEvent, HTTP, type SdkEvent, type SdkMessage } from '../support/cloud-events.ts';
import { call, signInAsGuest, type Answer, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

let site: TestSite;
let ana: Person;
beforeAll(async () => {
  site = await startTestSite();
  ana = await signInAsGuest(site.url, 'ana');
}, 60_000);
afterAll(() => site?.stop(), 30_000);

interface Receipt {
  seq: number;
  cursor: string;
  code?: string;
  detail?: string;
  errors?: { path: string; message: string }[];
}
type Stored = Record<string, unknown>;

const events = (query = '') => `${site.url}/v1/boards/events/events${query}`;
const made = (over: Record<string, unknown> = {}, isStrict = true): SdkEvent =>
  new CloudEvent({ source: `/users/${ana.id}`, type: 'note', subject: 'GameScore.sdk', ...over }, isStrict);

/** As the package made it: its headers, its body. */
const send = ({ headers, body }: SdkMessage): Promise<Answer<Receipt>> =>
  call(events(), {
    method: 'POST',
    token: ana.token,
    headers,
    ...(body === undefined ? {} : { body: body as string | Uint8Array }),
  });

async function stored(seq: number): Promise<Stored> {
  const epoch = (await call<{ epoch: string }>(`${site.url}/v1/boards/events`, { token: ana.token })).body.epoch;
  const { body } = await call<{ events: Stored[] }>(events(`?after=${epoch}-${seq - 1}&limit=1`), { token: ana.token });
  return body.events[0]!;
}

const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
const extensions = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  sampled: true,
  attempt: 3,
};
const cases: [string, Record<string, unknown>, Stored][] = [
  ['an object', { data: { a: [1, 'ü', null] } }, { data: { a: [1, 'ü', null] } }],
  ['no data', {}, {}],
  ['text', { data: 'Grüße', datacontenttype: 'text/plain' }, { data: 'Grüße', datacontenttype: 'text/plain' }],
  ['XML', { data: '<a/>', datacontenttype: 'application/xml' }, { data: '<a/>', datacontenttype: 'application/xml' }],
  [
    'bytes',
    { data: bytes, datacontenttype: 'application/octet-stream' },
    { data_base64: Buffer.from(bytes).toString('base64'), datacontenttype: 'application/octet-stream' },
  ],
  [
    'a schema, a time with a zone, a content type with a charset',
    {
      data: { a: 1 },
      dataschema: 'https://example.com/schemas/note-1.json#v1',
      time: '2026-03-01T10:30:00+01:00',
      datacontenttype: 'application/json; charset=utf-8',
    },
    { dataschema: 'https://example.com/schemas/note-1.json#v1', datacontenttype: 'application/json; charset=utf-8' },
  ],
];

describe('an event that the cloudevents package makes', () => {
  test.each(cases)('is taken in structured mode: %s', async (_what, given, kept) => {
    const event = made({ ...given, ...extensions });
    const answer = await send(HTTP.structured(event));
    expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
    expect(await stored(answer.body.seq)).toMatchObject({ id: event.id, ...kept, ...extensions });
  });

  test.each(cases)('is taken in binary mode: %s', async (_what, given, kept) => {
    const event = made({ ...given, ...extensions });
    const answer = await send(HTTP.binary(event));
    expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
    // Headers have no types but text.
    const asText = { ...extensions, sampled: 'true', attempt: '3' };
    expect(await stored(answer.body.seq)).toMatchObject({ id: event.id, ...kept, ...asText });
  });

  test('is taken in binary mode with values as the binding encodes them', async () => {
    const { headers, body } = HTTP.binary(made({ data: { a: 1 } }));
    // The package writes them as they are; a header holds no more than ASCII (HTTP binding 1.0.2, 3.1.3.2).
    const encoded = { ...headers, 'ce-greeting': 'Gr%C3%BC%C3%9Fe%20%22100%25%22' };
    const answer = await send({ headers: encoded, body } as SdkMessage);
    expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
    expect(await stored(answer.body.seq)).toMatchObject({ greeting: 'Grüße "100%"' });
  });

  test('is taken in a batch, and is the same event again', async () => {
    const batch = cases.map(([, given]) => made({ ...given, ...extensions }));
    const message = {
      headers: { 'content-type': 'application/cloudevents-batch+json; charset=utf-8' },
      body: JSON.stringify(batch),
    };
    const first = (await send(message)) as unknown as Answer<{ status: number; seq: number }[]>;
    expect(first.body.map(({ status }) => status)).toEqual(cases.map(() => 201));
    const again = (await send(message)) as unknown as typeof first;
    expect(again.body.map(({ status, seq }) => [status, seq])).toEqual(first.body.map(({ seq }) => [200, seq]));
  });

  test.each([
    ['an extension', { mine: 'y' }],
    ['a further extension', { also: 1 }],
    ['the schema', { dataschema: 'urn:b' }],
    ['the bytes', { data: Uint8Array.of(2) }],
  ])('is in conflict with itself under the same id and another value of %s', async (_what, over) => {
    const given = { data: Uint8Array.of(1), mine: 'x', dataschema: 'urn:a' };
    const event = made(given);
    expect((await send(HTTP.structured(event))).status).toBe(201);
    const other = made({ ...given, id: event.id, time: event.time, ...over });
    expect(await send(HTTP.structured(other))).toMatchObject({ status: 409, body: { code: 'event_conflict' } });
  });

  test.each(['board', 'author', 'authorname', 'origin', 'class', 'cursor', 'seq', 'epoch', 'salt'])(
    'may not say what the board says: %s',
    async (name) => {
      for (const mode of ['structured', 'binary'] as const) {
        const answer = await send(HTTP[mode](made({ [name]: 'x' })));
        expect(answer).toMatchObject({ status: 400, body: { code: 'invalid', errors: [{ path: name }] } });
        expect(answer.body.errors![0]!.message).toContain('the board’s to set');
      }
    },
  );
});

describe('an event that this site hands out', () => {
  const strict = (item: Stored) => new CloudEvent({ ...item });

  test('is one for the package: in history, as a batch, and in the stream', async () => {
    const stream = await SseReader.open(`${site.url}/v1/boards/events/stream?subject=GameScore.out`, {
      token: ana.token,
    });
    await stream.until((block) => block.event === 'caught_up');
    const sent: SdkEvent[] = [];
    for (const [, given] of cases) {
      const event = made({ ...given, ...extensions, subject: 'GameScore.out' });
      expect((await send(HTTP.structured(event))).status).toBe(201);
      sent.push(event);
      const block = await stream.until(({ data }) => data !== undefined);
      const read = HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents+json' }, body: block.data! });
      expect(strict({ ...(read as SdkEvent) })).toMatchObject({ id: event.id, author: ana.id, board: 'events' });
    }
    stream.close();
    const query = '?subject=GameScore.out&limit=500';
    const page = await call<{ events: Stored[] }>(events(query), { token: ana.token });
    const batch = await call(events(query), {
      token: ana.token,
      headers: { accept: 'application/cloudevents-batch+json' },
    });
    expect(batch.type).toBe('application/cloudevents-batch+json');
    const read = HTTP.toEvent({ headers: { 'content-type': batch.type }, body: batch.text }) as SdkEvent[];
    expect(read.map(({ id }) => id)).toEqual(sent.map(({ id }) => id));
    expect(page.body.events.map(strict).map(({ id }) => id)).toEqual(sent.map(({ id }) => id));
    for (const [at, event] of read.entries()) {
      expect(event).toMatchObject({ ...extensions, cursor: page.body.events[at]!['cursor'] });
      expect(new Date(event.time!).getTime()).toBe(new Date(sent[at]!.time!).getTime());
      expect(event.data).toEqual(sent[at]!.data);
    }
  });
});
