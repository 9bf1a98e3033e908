import { boardsStream, boardSubject, busHeaders, messageId, type RangeItem } from '@boardwire/contracts';
import { BoardFollower, type BoardFollowerOptions, type FollowedEvent, type MarkStore } from '@boardwire/follower';
import { connectBus, type AckedPublisher, type Bus } from '@boardwire/messaging';
import { createLogger, Metrics, Supervisor } from '@boardwire/service-kit';
import { eventually, startTestNats, type TestInfrastructure } from '@boardwire/test-kit';
import { TestLog, type LoggedBoard } from './test-log.ts';

/** A log, its mirror on a real nats-server, and followers of both. */
export class FollowerFixture {
  readonly logger = createLogger({ service: 'test', level: process.env['LOG_LEVEL'] ?? 'silent' });
  log = new TestLog();
  readonly #followers: Recorder[] = [];

  private constructor(
    readonly server: Pick<TestInfrastructure, 'nats' | 'stop'>,
    readonly bus: Bus,
    readonly publisher: AckedPublisher,
  ) {}

  static async start(): Promise<FollowerFixture> {
    const server = await startTestNats();
    const { url, token } = server.nats;
    const quiet = { info: () => {}, warn: () => {}, error: () => {} };
    const bus = await connectBus({ url, token, name: 'test', logger: quiet });
    return new FollowerFixture(server, bus, bus.publisher({ windowMax: 100_000, ackTimeoutMs: 1_000 }));
  }

  /** An empty log and an empty mirror. */
  async prepare(): Promise<void> {
    this.log = new TestLog();
    await this.server.nats.start();
    await this.bus.whenConnected(AbortSignal.timeout(5_000));
    await this.recreateMirror();
  }

  async recreateMirror(): Promise<void> {
    await eventually(() => this.bus.streams.delete(boardsStream.name));
    await eventually(() => this.bus.streams.ensure(boardsStream));
  }

  async follow(options: Partial<BoardFollowerOptions> = {}): Promise<Recorder> {
    const recorder = new Recorder(this, options);
    this.#followers.push(recorder);
    recorder.start();
    await eventually(() => expectThat(recorder.follower.syncedAt > 0, 'not synced'));
    if (this.bus.connected) await eventually(() => expectThat(recorder.follower.isStreaming, 'not streaming'));
    return recorder;
  }

  async stopFollowers(): Promise<void> {
    await Promise.all(this.#followers.splice(0).map((recorder) => recorder.stop()));
  }

  async stop(): Promise<void> {
    await this.stopFollowers();
    await this.bus.close();
    await this.server.stop();
  }

  /** What chat's relay does, for events in any order and number. Resolves when all are acknowledged or lost. */
  async mirror(board: LoggedBoard, items: RangeItem[]): Promise<void> {
    await Promise.allSettled(items.map((item) => this.#mirrorOne(board, item)));
    if (items.length > 0) this.log.relayedTo(board, items.at(-1)!.seq);
  }

  /** Appends and mirrors. */
  async publish(board: LoggedBoard, count: number): Promise<void> {
    await this.mirror(board, this.log.append(board, count));
  }

  #mirrorOne(board: LoggedBoard, item: RangeItem) {
    return this.publisher.publish(boardSubject(board.slug, item.subject), Buffer.from(item.body!), {
      // Not the real id: the mirror's own deduplication would hide what the follower has to do.
      [busHeaders.messageId]: `${messageId(board.slug, board.epoch, item.seq)}:${Math.random()}`,
      [busHeaders.seq]: String(item.seq),
      [busHeaders.epoch]: board.epoch,
      [busHeaders.type]: item.type,
      [busHeaders.class]: item.class,
      [busHeaders.time]: String(item.committedMs),
      [busHeaders.datahash]: item.datahash,
    });
  }
}

/** A follower that keeps what it was handed. */
export class Recorder {
  readonly follower: BoardFollower;
  readonly metrics = new Metrics();
  readonly supervisor: Supervisor;
  readonly events: FollowedEvent[] = [];
  readonly epochs: string[] = [];
  readonly removed: string[] = [];

  constructor(fixture: FollowerFixture, options: Partial<BoardFollowerOptions>) {
    this.supervisor = new Supervisor({ logger: fixture.logger, metrics: this.metrics });
    this.follower = new BoardFollower({
      name: 'test',
      bus: fixture.bus,
      chat: fixture.log,
      context: { logger: fixture.logger, metrics: this.metrics, supervisor: this.supervisor },
      marks: 'head',
      onEvents: (_board, events) => void this.events.push(...events),
      onEpoch: (board, { epoch, head, previous }) =>
        void this.epochs.push(`${board} ${previous ?? '-'}>${epoch}@${head}`),
      onRemoved: (board) => void this.removed.push(board),
      ...options,
    });
  }

  start(): void {
    this.follower.start();
  }

  async stop(): Promise<void> {
    await this.follower.stop();
    await this.supervisor.stop();
  }

  /** The seqs received on one board in one epoch, in the order of arrival. */
  seqs(board: string, epoch = 'aaaaaaaa'): number[] {
    return this.events.filter((event) => event.board === board && event.epoch === epoch).map(({ seq }) => seq);
  }

  async value(metric: string): Promise<number> {
    const found = await this.metrics.registry.getSingleMetric(`boardwire_${metric}`)?.get();
    return found?.values[0]?.value ?? 0;
  }
}

/** Marks in memory, as a service keeps them in its schema. */
export class TestMarks implements MarkStore {
  readonly marks = new Map<string, number>();

  load(board: string, epoch: string): Promise<number | undefined> {
    return Promise.resolve(this.marks.get(`${board} ${epoch}`));
  }

  store(events: FollowedEvent[]): void {
    for (const { board, epoch, seq } of events) {
      const mark = this.marks.get(`${board} ${epoch}`) ?? 0;
      if (seq !== mark + 1) throw new Error(`${board} ${epoch}: seq ${seq} after ${mark}`);
      this.marks.set(`${board} ${epoch}`, seq);
    }
  }
}

export const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, at) => first + at);

export function expectThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
