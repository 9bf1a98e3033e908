import type { StreamDefinition } from '@boardwire/contracts';
import { connectBus, type AckedPublisher, type Bus, type BusMessage } from '@boardwire/messaging';
import { startTestNats, type TestInfrastructure } from '@boardwire/test-kit';
import { RecordingLogger } from './recording-logger.ts';

export const notes: StreamDefinition = {
  name: 'NOTES',
  subjects: ['note.>'],
  maxAgeMs: 3_600_000,
  maxBytes: 64 * 1024 ** 2,
  duplicateWindowMs: 30_000,
  replicas: 1,
};

/** A nats-server of its own and a bus connected to it. */
export class MessagingFixture {
  readonly logger = new RecordingLogger();
  readonly #buses: Bus[] = [];

  private constructor(readonly server: Pick<TestInfrastructure, 'nats' | 'stop'>) {}

  static async start(): Promise<MessagingFixture> {
    return new MessagingFixture(await startTestNats());
  }

  async connect(): Promise<Bus> {
    const { url, token } = this.server.nats;
    const bus = await connectBus({ url, token, name: 'test', logger: this.logger });
    this.#buses.push(bus);
    return bus;
  }

  /** Closes every bus and removes the streams, so that the next test starts with nothing. */
  async reset(): Promise<void> {
    await this.server.nats.start();
    const bus = await this.connect();
    await bus.whenConnected(AbortSignal.timeout(5_000));
    await bus.streams.delete(notes.name);
    await Promise.all(this.#buses.splice(0).map((each) => each.close()));
    this.logger.events.length = 0;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#buses.map((bus) => bus.close()));
    await this.server.stop();
  }
}

export const numberOf = (message: BusMessage) => Number(Buffer.from(message.data).toString());

/** Publishes first…last, each numbered in its payload and known to the stream by that number. */
export async function publishNumbers(publisher: AckedPublisher, first: number, last: number): Promise<void> {
  const acks = [];
  for (let number = first; number <= last; number += 1) acks.push(publishNumber(publisher, number));
  await Promise.all(acks);
}

export function publishNumber(publisher: AckedPublisher, number: number) {
  return publisher.publish('note.a', Buffer.from(String(number)), { 'Nats-Msg-Id': `n${number}` });
}

export const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, at) => first + at);
