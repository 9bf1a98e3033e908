import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sendRaw } from '../support/raw-client.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

let site: TestSite;
let token: string;

beforeAll(async () => {
  site = await startTestSite();
  token = (await site.admin()).token;
}, 60_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

const open = () => `GET /v1/boards/events/stream?after=start HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n`;

describe('what a client sends behind its request for a stream', () => {
  test('never puts a second answer into the stream, whatever it is', async () => {
    for (const stray of ['no HTTP at all\r\n\r\n', `GET / HTTP/1.1\r\nhost: x\r\n\r\n`, `${open()}\r\n`, '\0']) {
      // oxlint-disable-next-line no-await-in-loop -- one connection after the other
      const { statuses, text } = await sendRaw(site.url, [`${open()}\r\n`, stray], { quietMs: 400, waits: true });
      expect({ stray, statuses }).toEqual({ stray, statuses: [200] });
      expect(text).not.toContain('problem+json');
    }
  });

  test('is no fault when it is an offer to upgrade, again and again on one connection', async () => {
    const offer = `GET /v1/boards HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n`;
    const { statuses } = await sendRaw(site.url, [offer.repeat(40)], { quietMs: 1_000 });
    expect(statuses).toEqual(Array(40).fill(200));
  });
});

describe('an upgrade to an address that is no URL', () => {
  test.each(['//', '//x:y/', 'http://[', '/v1/ws/', '*'])('%s is refused as a 4xx', async (address) => {
    const handshake = `GET ${address} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${'a'.repeat(22)}==\r\n\r\n`;
    const { statuses } = await sendRaw(site.url, [handshake]);
    expect(statuses).toHaveLength(1);
    expect(statuses[0]! >= 400 && statuses[0]! < 500).toBe(true);
  });
});
