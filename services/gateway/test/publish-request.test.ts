import { describe, expect, test } from '@jest/globals';
import { limits } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import { readPublishRequest, type Publishing } from '../src/publish/publish-request.ts';
import { dataDepthMax, whyNotStorable } from '../src/publish/storable.ts';

const me = 'u1';
const event = { specversion: '1.0', id: 'e1', source: '/users/u1', type: 'note', subject: 'a.b' };

function read(type: string, body: unknown, headers: Record<string, string> = {}): Publishing {
  return readPublishRequest({
    headers: { 'content-type': type, ...headers },
    body,
    bodyBytes: Buffer.byteLength(JSON.stringify(body) ?? ''),
    publisherId: me,
  });
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'accepted';
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

describe('a publish', () => {
  test('in plain JSON gets an id and the account’s source', () => {
    const read1 = read('application/json; charset=utf-8', { subject: 'a.b', type: 'note', data: { x: 1 } });
    expect(read1).toMatchObject({ mode: 'single', event: { source: '/users/u1', subject: 'a.b', data: { x: 1 } } });
    expect((read1 as { event: { id: string } }).event.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('in structured mode keeps its attributes, and fills an absent source', () => {
    const time = '2026-01-02T03:04:05Z';
    expect(read('application/cloudevents+json', { ...event, time })).toEqual({
      mode: 'single',
      event: { id: 'e1', source: '/users/u1', type: 'note', subject: 'a.b', time },
    });
    const { source, ...withoutSource } = event;
    expect(read('application/cloudevents+json', withoutSource)).toMatchObject({ event: { source } });
  });

  test('in binary mode reads percent-encoded headers, and the body as data', () => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'Euro%20%E2%82%AC',
      'ce-source': '/users/u1',
      'ce-type': 'note',
      'ce-subject': 'a.b',
    };
    expect(read('application/json', { x: 1 }, headers)).toMatchObject({
      mode: 'single',
      event: { id: 'Euro €', data: { x: 1 }, datacontenttype: 'application/json' },
    });
    expect(codeOf(() => read('application/json', 1, { ...headers, 'ce-id': '%zz' }))).toBe('malformed');
    expect(read('application/json', 1, { ...headers, 'ce-mine': '"a \\"b\\" %C3%A9"' })).toMatchObject({
      event: { extensions: { mine: 'a "b" é' } },
    });
    for (const name of ['ce-board', 'ce-my_name', 'ce-data', 'ce-datacontenttype', 'ce-data_base64']) {
      expect([name, codeOf(() => read('application/json', 1, { ...headers, [name]: 'x' }))]).toEqual([name, 'invalid']);
    }
    // Encoded twice or not at all: the subject is ours either way.
    for (const raw of ['a%2520b.c', 'a%20b.c']) {
      expect(read('application/json', 1, { ...headers, 'ce-subject': raw })).toMatchObject({
        event: { subject: 'a%20b.c' },
      });
    }
  });

  test('in binary mode keeps text as text and everything else as base64', () => {
    const headers = { 'ce-specversion': '1.0', 'ce-id': 'e1', 'ce-type': 'note', 'ce-subject': 'a.b' };
    const eventOf = (type: string, body: Buffer) => (read(type, body, headers) as { event: object }).event;
    expect(eventOf('text/plain; charset=UTF-8', Buffer.from('Grüße'))).toMatchObject({ data: 'Grüße' });
    expect(eventOf('application/soap+xml', Buffer.from('<a/>'))).toMatchObject({ data: '<a/>' });
    expect(eventOf('text/plain', Buffer.from([0xff, 0xfe]))).toMatchObject({ data_base64: '//4=' });
    expect(eventOf('text/plain; charset=iso-8859-1', Buffer.from('x'))).toMatchObject({ data_base64: 'eA==' });
    expect(eventOf('application/octet-stream', Buffer.from([0, 1]))).toMatchObject({ data_base64: 'AAE=' });
    expect(eventOf('text/json', Buffer.from('{"x":1}'))).toMatchObject({ data: { x: 1 } });
    expect(eventOf('text/plain', Buffer.alloc(0))).not.toHaveProperty('data');
    expect(codeOf(() => read('text/json', Buffer.from('{'), headers))).toBe('malformed');
    expect(codeOf(() => read('no type', Buffer.from('x'), headers))).toBe('invalid');
    expect(codeOf(() => read('image/png', Buffer.alloc(limits.eventBytesMax), headers))).toBe('too_large');
    const bare = { headers, body: Buffer.from('x'), bodyBytes: 1, publisherId: me };
    expect(codeOf(() => readPublishRequest(bare))).toBe('unsupported_media_type');
    expect(readPublishRequest({ ...bare, body: undefined, bodyBytes: 0 })).toMatchObject({ event: { id: 'e1' } });
  });

  test('takes an attribute that is null for one that isn’t set, and a null of data for data', () => {
    const unset = { ...event, time: null, dataschema: null, mine: null, data: null };
    expect(read('application/cloudevents+json', unset)).toEqual({
      mode: 'single',
      event: { id: 'e1', source: '/users/u1', type: 'note', subject: 'a.b', data: null },
    });
  });

  test('in a batch refuses the bad ones alone', () => {
    const batch = read('application/cloudevents-batch+json', [
      event,
      { ...event, subject: '*' },
      7,
      { ...event, id: 'e2' },
    ]);
    if (batch.mode !== 'batch') throw new Error('not a batch');
    expect(batch.events.map((item) => (item instanceof AppError ? item.code : item.id))).toEqual([
      'e1',
      'invalid_subject',
      'invalid',
      'e2',
    ]);
  });

  test('is refused for another source, type of media, size, depth', () => {
    expect(codeOf(() => read('application/cloudevents+json', { ...event, source: '/users/u2' }))).toBe(
      'invalid_source',
    );
    expect(codeOf(() => read('text/plain', event))).toBe('unsupported_media_type');
    expect(
      codeOf(() => read('application/json', { subject: 'a', type: 'b', data: 'x'.repeat(limits.eventBytesMax) })),
    ).toBe('too_large');
    let deep: unknown = 1;
    for (let at = 0; at <= dataDepthMax; at += 1) deep = [deep];
    expect(codeOf(() => read('application/json', { subject: 'a', type: 'b', data: deep }))).toBe('invalid_event');
    const batch = Array.from({ length: limits.batchEventsMax + 1 }, () => event);
    expect(codeOf(() => read('application/cloudevents-batch+json', batch))).toBe('too_large');
    const large = { ...event, data: 'x'.repeat(limits.eventBytesMax) };
    expect(read('application/cloudevents-batch+json', [event, large])).toMatchObject({
      events: [{ id: 'e1' }, { code: 'too_large' }],
    });
  });

  test('never carries keys that reach a prototype', () => {
    expect(whyNotStorable(JSON.parse('{"a":[{"__proto__":{"x":1}}]}'))).toContain('__proto__');
    expect(whyNotStorable(JSON.parse('{"constructor":{"prototype":{}}}'))).toContain('constructor');
    expect(whyNotStorable(JSON.parse('{"constructor":"x","prototype":1}'))).toBeUndefined();
  });
});
