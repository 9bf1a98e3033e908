import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { connectBus, NotConnected } from '@boardwire/messaging';
import { eventually, freePort } from '@boardwire/test-kit';
import { MessagingFixture, notes, publishNumbers } from './messaging-fixture.ts';
import { RecordingLogger } from './recording-logger.ts';

describe('Bus', () => {
  let fixture: MessagingFixture;
  beforeAll(async () => void (fixture = await MessagingFixture.start()));
  afterEach(() => fixture.reset());
  afterAll(() => fixture.stop());

  test('starts without a server, drops and counts what it can’t send, and closes promptly', async () => {
    const logger = new RecordingLogger();
    const bus = await connectBus({ url: `nats://127.0.0.1:${await freePort()}`, name: 'test', logger });
    expect(bus.connected).toBe(false);
    bus.publish('a.b', 'lost');
    expect(bus.dropped).toBe(1);
    await expect(bus.streams.info('NOTES')).rejects.toBeInstanceOf(NotConnected);
    const startedAt = performance.now();
    await bus.close();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(logger.events).toEqual(['nats.unreachable']);
  });

  test('a subscription made before there is a connection works as soon as there is one', async () => {
    await fixture.server.nats.stop();
    const bus = await fixture.connect();
    const received: string[] = [];
    bus.subscribe('greeting.*', (message) =>
      received.push(`${message.subject} ${Buffer.from(message.data).toString()}`),
    );
    await fixture.server.nats.start();
    await bus.whenConnected(AbortSignal.timeout(5_000));
    await eventually(() => {
      bus.publish('greeting.world', 'hello');
      expect(received).toContain('greeting.world hello');
    });
  });

  test('tells when the server dies and when it is back, and its subscriptions go on', async () => {
    const bus = await fixture.connect();
    const statuses: boolean[] = [];
    bus.onStatus((connected) => statuses.push(connected));
    const received: string[] = [];
    bus.subscribe('greeting', (message) => received.push(Buffer.from(message.data).toString()));
    await fixture.server.nats.kill();
    await eventually(() => expect(bus.connected).toBe(false));
    await fixture.server.nats.start();
    await eventually(() => expect(bus.connected).toBe(true), { timeoutMs: 2_000 });
    bus.publish('greeting', 'again');
    await eventually(() => expect(received).toEqual(['again']));
    expect(statuses).toEqual([false, true]);
  });

  test('core messages carry headers, and a value can’t forge a further one', async () => {
    const bus = await fixture.connect();
    const received: string[] = [];
    bus.subscribe('greeting', ({ headers, data }) =>
      received.push(`${headers.get('Boardwire-Pod')} ${headers.get('Other')} ${Buffer.from(data).toString()}`),
    );
    bus.publish('greeting', 'hello', { 'Boardwire-Pod': 'p1', Other: 'x' });
    bus.publish('greeting', 'forged', { 'Boardwire-Pod': 'p2\r\nOther: y' });
    bus.publish('greeting', 'last');
    await eventually(() => expect(received).toEqual(['p1 x hello', '  last']));
    expect(bus.dropped).toBe(1);
  });

  test('an exception in a handler is logged and stops nothing', async () => {
    const bus = await fixture.connect();
    const received: string[] = [];
    bus.subscribe('greeting', (message) => {
      received.push(Buffer.from(message.data).toString());
      throw new Error('not ours');
    });
    bus.publish('greeting', '1');
    bus.publish('greeting', '2');
    await eventually(() => expect(received).toEqual(['1', '2']));
    expect(fixture.logger.events).toContain('nats.handler_failed');
  });

  test('a refused token is not the end: it connects when the server takes it', async () => {
    const { url } = fixture.server.nats;
    const logger = new RecordingLogger();
    const bus = await connectBus({ url, token: 'wrong', name: 'test', logger });
    expect(bus.connected).toBe(false);
    expect(logger.events).toContain('nats.unreachable');
    await bus.close();
  });

  test('ensure makes a stream, brings an existing one to its definition, and may be repeated', async () => {
    const { streams } = await fixture.connect();
    expect(await streams.info(notes.name)).toBeUndefined();
    await streams.ensure(notes);
    const { created } = (await streams.info(notes.name))!;
    await streams.ensure({ ...notes, maxAgeMs: 2 * notes.maxAgeMs });
    await streams.ensure({ ...notes, maxAgeMs: 2 * notes.maxAgeMs });
    expect((await streams.info(notes.name))!.created).toBe(created);
    expect(await streams.delete(notes.name)).toBe(true);
    expect(await streams.delete(notes.name)).toBe(false);
  });

  test('finds the newest message of a subject and deletes single messages', async () => {
    const bus = await fixture.connect();
    await bus.streams.ensure(notes);
    expect(await bus.streams.lastBySubject(notes.name, 'note.>')).toBeUndefined();
    await publishNumbers(bus.publisher({ windowMax: 10, ackTimeoutMs: 2_000 }), 1, 3);
    const last = await bus.streams.lastBySubject(notes.name, 'note.>');
    expect(last).toMatchObject({ subject: 'note.a', streamSequence: 3 });
    expect(last!.headers.get('Nats-Msg-Id')).toBe('n3');
    expect(await bus.streams.deleteMessage(notes.name, 2)).toBe(true);
    expect(await bus.streams.deleteMessage(notes.name, 2)).toBe(false);
    expect(await bus.streams.deleteMessage(notes.name, 99)).toBe(false);
    expect((await bus.streams.info(notes.name))!.messages).toBe(2);
    expect(await bus.streams.lastBySubject('NOWHERE', 'note.>')).toBeUndefined();
  });
});
