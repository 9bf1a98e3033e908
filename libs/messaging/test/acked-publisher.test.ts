import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { PublishFailed, type Bus } from '@boardwire/messaging';
import { eventually } from '@boardwire/test-kit';
import { MessagingFixture, notes, publishNumber, publishNumbers, range } from './messaging-fixture.ts';

describe('AckedPublisher', () => {
  let fixture: MessagingFixture;
  beforeAll(async () => void (fixture = await MessagingFixture.start()));
  afterEach(() => fixture.reset());
  afterAll(() => fixture.stop());

  async function connectedBus(): Promise<Bus> {
    const bus = await fixture.connect();
    await bus.streams.ensure(notes);
    return bus;
  }

  test('acknowledges in the order of publishing and tells where the stream holds the message', async () => {
    const publisher = (await connectedBus()).publisher({ windowMax: 1_000, ackTimeoutMs: 2_000 });
    const settled: number[] = [];
    await Promise.all(
      range(1, 500).map(async (number) => {
        const ack = await publishNumber(publisher, number);
        expect(ack).toEqual({ stream: 'NOTES', sequence: number, duplicate: false });
        settled.push(number);
      }),
    );
    expect(settled).toEqual(range(1, 500));
    expect(publisher.inFlight).toBe(0);
  });

  test('tells a message that the stream holds already', async () => {
    const publisher = (await connectedBus()).publisher({ windowMax: 10, ackTimeoutMs: 2_000 });
    const first = await publishNumber(publisher, 1);
    expect(await publishNumber(publisher, 1)).toEqual({ ...first, duplicate: true });
  });

  test('fails with no_responders when no stream takes the subject, and works again after ensure', async () => {
    const bus = await connectedBus();
    const publisher = bus.publisher({ windowMax: 10, ackTimeoutMs: 2_000 });
    await bus.streams.delete(notes.name);
    await expect(publishNumber(publisher, 1)).rejects.toMatchObject({ name: 'PublishFailed', reason: 'no_responders' });
    await bus.streams.ensure(notes);
    expect((await publishNumber(publisher, 1)).sequence).toBe(1);
  });

  test('fails with rejected and the reason when the stream refuses', async () => {
    const publisher = (await connectedBus()).publisher({ windowMax: 10, ackTimeoutMs: 2_000 });
    const refused = publisher.publish('note.a', Buffer.from('x'), { 'Nats-Expected-Last-Sequence': '99' });
    await expect(refused).rejects.toMatchObject({
      reason: 'rejected',
      message: expect.stringContaining('wrong last sequence'),
    });
  });

  test('refuses a header value with a line break, and a payload above the server’s limit', async () => {
    const publisher = (await connectedBus()).publisher({ windowMax: 10, ackTimeoutMs: 2_000 });
    const forged = publisher.publish('note.a', Buffer.from('x'), { A: 'b\r\nNats-Msg-Id: forged' });
    await expect(forged).rejects.toMatchObject({ reason: 'rejected' });
    const tooLarge = publisher.publish('note.a', Buffer.alloc(5 * 1024 ** 2), {});
    await expect(tooLarge).rejects.toMatchObject({ reason: 'rejected' });
    expect(publisher.inFlight).toBe(0);
  });

  test('fails with timeout when the server falls silent', async () => {
    const publisher = (await connectedBus()).publisher({ windowMax: 10, ackTimeoutMs: 200 });
    await fixture.server.nats.pause();
    const startedAt = performance.now();
    await expect(publishNumber(publisher, 1)).rejects.toMatchObject({ reason: 'timeout' });
    expect(performance.now() - startedAt).toBeLessThan(500);
    await fixture.server.nats.resume();
    await expect(publishNumber(publisher, 1)).resolves.toMatchObject({ stream: 'NOTES' });
  });

  test('fails what is in flight when the server dies, fails at once while it is gone, and works when it is back', async () => {
    const publisher = (await connectedBus()).publisher({ windowMax: 10, ackTimeoutMs: 10_000 });
    await fixture.server.nats.pause();
    const inFlight = publishNumber(publisher, 1);
    const failure = expect(inFlight).rejects.toMatchObject({ reason: 'disconnected' });
    await fixture.server.nats.kill();
    await failure;
    const startedAt = performance.now();
    await expect(publishNumber(publisher, 1)).rejects.toBeInstanceOf(PublishFailed);
    expect(performance.now() - startedAt).toBeLessThan(100);
    await fixture.server.nats.start();
    await eventually(() => publishNumber(publisher, 1));
  });

  test('never has more in flight than its window, and tells when there is room', async () => {
    const publisher = (await connectedBus()).publisher({ windowMax: 4, ackTimeoutMs: 2_000 });
    const window = publishNumbers(publisher, 1, 4);
    await expect(publishNumber(publisher, 5)).rejects.toMatchObject({ reason: 'window_full' });
    await publisher.room();
    expect(publisher.inFlight).toBeLessThan(4);
    await window;
  });

  test('settles every message when it is closed', async () => {
    const publisher = (await connectedBus()).publisher({ windowMax: 4, ackTimeoutMs: 60_000 });
    await fixture.server.nats.pause();
    const failure = expect(publishNumber(publisher, 1)).rejects.toMatchObject({ reason: 'disconnected' });
    publisher.close();
    await failure;
    await fixture.server.nats.resume();
  });
});
