import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { boardsStream, boardSubject, busHeaders, formatCursor } from '@boardwire/contracts';
import { connect, type JsMsg, type NatsConnection } from 'nats';
import { say, signInAsGuest, type Person } from '../support/person.ts';
import { StreamRecorder } from '../support/stream-recorder.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

/** What a follower of either kind knows of an event. */
interface Seen {
  cursor: string;
  event: unknown;
}

describe('an unmodified client of the `nats` package', () => {
  let site: TestSite;
  let ana: Person;
  let client: NatsConnection;
  let sse: StreamRecorder;
  const seen: Seen[] = [];

  beforeAll(async () => {
    site = await startTestSite();
    ana = await signInAsGuest(site.url, 'ana');
    const { url, token } = site.infrastructure.nats;
    client = await connect({ servers: url, ...(token === undefined ? {} : { token }) });
    const consumer = await client
      .jetstream()
      .consumers.get(boardsStream.name, { filterSubjects: [boardSubject('events', 'AxonChat.>')] });
    await consumer.consume({ callback: (message) => void seen.push(seenIn(message)) });
    sse = new StreamRecorder(`${site.url}/v1/boards/events/stream?subject=AxonChat.%3E`, { token: ana.token });
    await sse.until((stream) => stream.named('caught_up').length === 1);
  }, 60_000);

  afterAll(async () => {
    sse?.close();
    await client?.close();
    await site?.stop();
  }, 30_000);

  test('that follows board.events.AxonChat.> sees what the SSE follower of AxonChat.> sees, in the same order', async () => {
    const rooms = ['AxonChat.lobby', 'AxonChat.caff%C3%A8', 'GameScore', 'AxonChat'];
    for (let at = 0; at < 20; at += 1) {
      const { status } = await say(site.url, ana, `message ${at} – ¿qué tal? 你好`, {
        subject: rooms[at % rooms.length],
      });
      expect(status).toBe(201);
    }
    await sse.until((stream) => stream.events.length === 10 && seen.length === 10);
    expect(seen).toEqual(sse.events.map(({ id, data }) => ({ cursor: id, event: withoutCursor(JSON.parse(data!)) })));
  });
});

function seenIn(message: JsMsg): Seen {
  const header = (name: string) => message.headers?.get(name) ?? '';
  return { cursor: formatCursor(header(busHeaders.epoch), Number(header(busHeaders.seq))), event: message.json() };
}

function withoutCursor({ cursor: _cursor, ...event }: Record<string, unknown>): unknown {
  return event;
}
