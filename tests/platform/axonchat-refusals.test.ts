import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { call, signInAsGuest, type Answer, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

let site: TestSite;
let ana: Person;
beforeAll(async () => {
  site = await startTestSite({});
  ana = await signInAsGuest(site.url, 'ana');
}, 60_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

/** An old client knows `{"error": string}` and nothing else. */
function expectRefusal(answer: Answer, status: number, text?: string): void {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status });
  expect(answer.type).toContain('application/json');
  expect(answer.body).toEqual({ error: text ?? expect.any(String) });
}
const post = (init: Parameters<typeof call>[1]) =>
  call(`${site.url}/api/chat/post/`, { method: 'POST', token: ana.token, ...init });
const head = async () => (await call<{ head: number }>(`${site.url}/v1/boards/events`, { token: ana.token })).body.head;

describe('AxonChat refuses in its own words', () => {
  test.each([
    ['no text', {}],
    ['an empty text', { text: '' }],
    ['blanks', { text: ' \n\t ' }],
  ])('%s', async (_what, json) => {
    expectRefusal(await post({ json }), 400, 'Message text cannot be empty.');
  });

  test.each([
    ['a number as text', { json: { text: 5 } }],
    ['broken JSON', { body: '{"text":', headers: { 'content-type': 'application/json' } }],
    [
      'invalid UTF-8',
      { body: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), headers: { 'content-type': 'application/json' } },
    ],
  ])('%s', async (_what, init) => expectRefusal(await post(init), 400));

  test('another media type, and a body above every limit', async () => {
    expectRefusal(
      await post({ body: 'text=hi', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
      415,
    );
    expectRefusal(await post({ json: { text: 'a'.repeat(3 * 1024 * 1024) } }), 413);
  });

  test('a missing or bad token, on posts and on the stream', async () => {
    const anonymous = { method: 'POST', json: { text: 'hi' } };
    expectRefusal(await call(`${site.url}/api/chat/post/`, anonymous), 401);
    expectRefusal(await call(`${site.url}/api/chat/post/`, { ...anonymous, token: 'x.y.z' }), 401);
    for (const query of ['', '?token=', '?token=x.y.z', `?token=${ana.token}x`]) {
      expectRefusal(await call(`${site.url}/api/chat/events/${query}`), 401);
    }
  });

  test('another method, and paths that are not there, with or without the slash', async () => {
    expectRefusal(await call(`${site.url}/api/chat/post/`, { token: ana.token }), 405);
    for (const path of [
      '/api/chat/post',
      '/api/chat/events',
      '/api/chat/',
      '/api/token/',
      '/api/register/',
      '/api/boards/8/messages/',
      '/api/chat/post/x',
    ]) {
      expectRefusal(await call(site.url + path, { token: ana.token }), 404);
    }
  });

  test('paths that would climb out to the applet’s other routes', async () => {
    for (const path of ['/api/chat/post/%2e%2e/', '/api/chat/post/..%2f..%2fmetrics', '/api//chat/post/']) {
      expectRefusal(await call(site.url + path, { method: 'POST', token: ana.token, json: { text: 'hi' } }), 404);
    }
  });

  test('and nothing of all that is stored', async () => {
    const before = await head();
    await post({ json: { text: '' } });
    await call(`${site.url}/api/chat/post/`, { method: 'POST', json: { text: 'hi' } });
    expect(await head()).toBe(before);
    expect(before).toBe(0);
  });
});
