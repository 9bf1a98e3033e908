import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WsReader } from '@boardwire/test-kit';
import { call, type Person } from '../support/person.ts';
import { faultsOf, StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

type Frame = Record<string, unknown> & { type: string };

let site: TestSite;
let admin: Person;
let elsewhere: string;
let boards = 0;

beforeAll(async () => {
  site = await startTestSite({ gateways: 2 });
  admin = await site.admin();
  elsewhere = site.site.services['gateway-2']!.publicUrl!;
}, 60_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

async function newBoard(): Promise<string> {
  boards += 1;
  const slug = `new-${boards}`;
  const rules = [{ pattern: 'secret.>', class: 'log', access: 'members' }];
  const created = await call(`${site.url}/v1/boards`, { token: admin.token, json: { slug, title: slug, rules } });
  expect(created.status).toBe(201);
  return slug;
}

const post = (url: string, board: string, subject: string) =>
  call<{ seq: number; code?: string }>(`${url}/v1/boards/${board}/events`, {
    token: admin.token,
    json: { subject, type: 'note', data: {} },
  });

describe('a board that was made a moment ago on another gateway', () => {
  test('guards its members’ subjects from the first event on', async () => {
    for (let round = 0; round < 5; round += 1) {
      const refused = await post(elsewhere, await newBoard(), 'secret.plan');
      expect(refused).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
  }, 30_000);

  test('is followed at once, and nothing posted from then on is missed', async () => {
    for (let round = 0; round < 5; round += 1) {
      const board = await newBoard();
      const stream = new StreamRecorder(`${elsewhere}/v1/boards/${board}/stream?after=start`, { token: admin.token });
      const posts = Array.from({ length: 10 }, (_, at) => post(at % 2 === 0 ? site.url : elsewhere, board, 'note.a'));
      for (const { status } of await Promise.all(posts)) expect(status).toBe(201);
      await stream.until((it) => it.seqs.length >= 10);
      expect(stream.status).toBe(200);
      expect(faultsOf(stream.seqs, 1, 10)).toEqual([]);
      stream.close();
    }
  }, 30_000);

  test('can be subscribed to on a socket at once', async () => {
    const socket = await WsReader.open<Frame>(`${elsewhere.replace('http', 'ws')}/v1/ws`, {
      protocols: ['boardwire.v1'],
    });
    socket.send({ type: 'auth', token: admin.token });
    const board = await newBoard();
    socket.send({ type: 'subscribe', sub: 's', board, subjects: ['>'] });
    const answer = await socket.until(({ type }) => type === 'resumed' || type === 'fail');
    expect(answer).toMatchObject({ type: 'resumed', sub: 's' });
    socket.close();
  }, 30_000);

  test('is told apart from one that nobody made', async () => {
    expect(await post(elsewhere, 'nobody-made-this', 'note.a')).toMatchObject({
      status: 404,
      body: { code: 'board_unknown' },
    });
  });
});
