import { describe, expect, test } from '@jest/globals';
import type { AppendItem } from '@boardwire/contracts';
import { createHash } from 'node:crypto';
import { prepareEvent, Salts, type Placement } from '../src/log/event-bytes.ts';

const placement: Placement = {
  board: 'events',
  boardId: 1,
  origin: 'site1',
  class: 'log',
  now: '2026-03-01T00:00:00Z',
};
const item: AppendItem = {
  id: 'e1',
  source: '/users/u1',
  type: 'note',
  subject: 'a.b',
  author: 'u1',
  authorname: 'ana',
};
const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest('hex');

describe('an event as it is stored', () => {
  test.each([
    ['JSON', { data: { b: 1, a: 'ü' } }, Buffer.from('{"b":1,"a":"ü"}')],
    ['text', { data: 'ü', datacontenttype: 'text/plain' }, Buffer.from('"ü"')],
    ['bytes', { data_base64: '/wA=', datacontenttype: 'image/png' }, Buffer.from([255, 0])],
    ['nothing', {}, Buffer.alloc(0)],
  ])('has a hash of salt and data: %s', (_what, content, data) => {
    const { salt, datahash, body, bytes } = prepareEvent({ ...item, ...content }, placement, new Salts());
    expect(datahash).toBe(sha256(Buffer.from(salt, 'hex'), data));
    expect(JSON.parse(body)).toMatchObject(content);
    expect(bytes).toBe(Buffer.byteLength(body));
  });

  test('keeps the hash that the same content had before there were extensions', () => {
    const { contentHash } = prepareEvent({ ...item, data: { b: 1, a: 2 } }, placement, new Salts());
    expect(contentHash).toBe(sha256(Buffer.from('["note","a.b",{"a":2,"b":1},null,null]')));
    const extended = prepareEvent({ ...item, data: { b: 1, a: 2 }, extensions: { x: 1 } }, placement, new Salts());
    expect(extended.contentHash).not.toBe(contentHash);
  });
});
