import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

interface Message {
  id: number;
  timestamp: string;
  display_time: string;
  user: string | null;
  user_pubkey: string | null;
  text: string;
}

let site: TestSite;
let ana: Person;
const recorders: StreamRecorder[] = [];
beforeAll(async () => {
  site = await startTestSite();
  ana = await signInAsGuest(site.url, 'ana');
}, 60_000);
afterAll(async () => {
  for (const recorder of recorders) recorder.close();
  await site?.stop();
}, 30_000);

const post = (text: string) =>
  call<{ status: string; message_id: unknown }>(`${site.url}/api/chat/post/`, { token: ana.token, json: { text } });
function open(query = ''): StreamRecorder {
  const recorder = new StreamRecorder(`${site.url}/api/chat/events/?token=${ana.token}${query}`, { token: ana.token });
  recorders.push(recorder);
  return recorder;
}
const lists = (recorder: StreamRecorder) =>
  recorder.blocks
    .filter((block) => block.data !== undefined)
    .map((block) => (JSON.parse(block.data!) as { messages: Message[] }).messages);

test('an old client posts, gets the last fifty oldest first, and the whole list again with each message', async () => {
  for (let at = 0; at < 55; at += 1) {
    expect(await post(`old ${at}`)).toMatchObject({ status: 201, body: { status: 'message posted' } });
    await call(`${site.url}/v1/boards/events/events`, {
      token: ana.token,
      json: { subject: 'GameScore.pong', type: 'game.score', data: { at } },
    });
  }
  const stream = open('&tz=Asia/Tokyo');
  await stream.until((it) => lists(it).length === 1);
  const [first] = lists(stream);
  expect(first!.map((message) => message.text)).toEqual(Array.from({ length: 50 }, (_, at) => `old ${at + 5}`));
  expect(first![0]).toMatchObject({ user: 'ana', user_pubkey: null });
  expect(first![0]!.timestamp).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  const hour =
    Number(
      new Intl.DateTimeFormat('en-US', { hour: 'numeric', hour12: false, timeZone: 'Asia/Tokyo' }).format(
        new Date(first![0]!.timestamp),
      ),
    ) % 12 || 12;
  expect(first![0]!.display_time).toMatch(new RegExp(`^${hour}:\\d\\d:\\d\\d [AP]M$`));
  await stream.until((it) => it.blocks.some((block) => block.comments.includes('connected')));

  await post('  new  ');
  await stream.until((it) => lists(it).length === 2);
  expect(lists(stream)[1]).toHaveLength(51);
  const ids = lists(stream)[1]!.map((message) => message.id);
  expect([...ids].sort((a, b) => a - b)).toEqual(ids);
  expect(stream.blocks.every((block) => block.event === undefined)).toBe(true);
});

test('what is said on the board reaches the old wire, and the other way round', async () => {
  const old = open();
  await old.until((it) => lists(it).length === 1);
  await say(site.url, ana, 'from the console');
  await old.until((it) => lists(it).some((list) => list.at(-1)!.text === 'from the console'));
  const stream = new StreamRecorder(`${site.url}/v1/boards/events/stream?subject=AxonChat.lobby`, { token: ana.token });
  recorders.push(stream);
  await stream.until((it) => it.named('caught_up').length === 1);
  await post('from an old client');
  await stream.until((it) => it.events.some((block) => block.data!.includes('from an old client')));
});

test('a long text is cut to 500 characters and keeps its last one whole', async () => {
  const stream = open();
  await stream.until((it) => lists(it).length === 1);
  await post('👩‍🚀'.repeat(400));
  await stream.until((it) => lists(it).length === 2);
  const { text } = lists(stream)[1]!.at(-1)!;
  expect(Array.from(text).length).toBeLessThanOrEqual(500);
  expect(text.isWellFormed()).toBe(true);
});

test('an unknown time zone is UTC', async () => {
  const stream = open('&tz=Mars/Base');
  await stream.until((it) => lists(it).length === 1);
  const message = lists(stream)[0]!.at(-1)!;
  const expected = new Intl.DateTimeFormat('en-US', {
    hour: 'numeric',
    minute: '2-digit',
    second: '2-digit',
    timeZone: 'UTC',
  }).format(new Date(message.timestamp));
  expect(message.display_time).toBe(expected.replace('\u202f', ' '));
});
