import process from 'node:process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { RangeItem } from '@boardwire/contracts';
import { eventually, seededRandom, type SeededRandom } from '@boardwire/test-kit';
import { FollowerFixture, range, TestMarks, type Recorder } from './follower-fixture.ts';
import type { LoggedBoard } from './test-log.ts';

const steps = 60;
/** Each with a seed of its own. */
const days = Array.from({ length: process.env['BOARDWIRE_TEST_TIER'] === 'long' ? 25 : 1 }, (_, day) => day + 1);

/** What a bad day does between the log and the follower. */
class BadDay {
  epochs = 0;
  killed = false;

  constructor(
    private readonly fixture: FollowerFixture,
    private readonly random: SeededRandom,
    private readonly boards: LoggedBoard[],
  ) {}

  async step(): Promise<void> {
    const { fixture, random } = this;
    const board = random.pick(this.boards);
    const dice = random.next();
    if (dice < 0.75) await fixture.mirror(board, this.mangle(fixture.log.append(board, random.integer(1, 120))));
    else if (dice < 0.8) await fixture.recreateMirror();
    else if (dice < 0.85) fixture.log.append(board, random.integer(1, 2_000));
    else if (dice < 0.88) this.newEpoch(board);
    else if (dice < 0.91) await this.killServer();
    else if (dice < 0.95) fixture.log.isDown = !fixture.log.isDown;
    else fixture.log.pageMax = random.integer(1, 300);
    if (random.next() < 0.3) await new Promise((resolve) => setTimeout(resolve, random.integer(1, 300)));
  }

  /** Loses some, repeats some, brings some too late. */
  private mangle(items: RangeItem[]): RangeItem[] {
    const { random } = this;
    const lossy = items.filter(() => random.next() > 0.05);
    const repeated = lossy.flatMap((item) => (random.next() < 0.1 ? [item, item] : [item]));
    return random.next() < 0.3 ? random.shuffle(repeated) : repeated;
  }

  private newEpoch(board: LoggedBoard): void {
    this.epochs += 1;
    const head = this.random.integer(0, board.items.length);
    this.fixture.log.startEpoch(board, `epoch${String(this.epochs).padStart(3, '0')}`, head);
  }

  private async killServer(): Promise<void> {
    await this.fixture.server.nats.kill();
    await this.fixture.server.nats.start();
    await this.fixture.bus.whenConnected(AbortSignal.timeout(5_000));
  }
}

describe('BoardFollower on a bad day', () => {
  let fixture: FollowerFixture;
  beforeAll(async () => void (fixture = await FollowerFixture.start()));
  beforeEach(() => fixture.prepare());
  afterEach(() => fixture.stopFollowers());
  afterAll(() => fixture.stop());

  async function live(random: SeededRandom, recorders: Recorder[]): Promise<LoggedBoard[]> {
    const boards = [...fixture.log.boards.values()];
    const day = new BadDay(fixture, random, boards);
    for (let step = 0; step < steps; step += 1) await day.step();
    fixture.log.isDown = false;
    fixture.log.pageMax = Number.POSITIVE_INFINITY;
    for (const board of boards) {
      for (const recorder of recorders) {
        await eventually(() => expect(recorder.follower.position(board.slug)?.epoch).toBe(board.epoch));
      }
      await eventually(() => fixture.bus.streams.info('BOARDS'));
      await fixture.publish(board, 1);
    }
    return boards;
  }

  test.each(days)(
    'day %i: from the head, every seq of every epoch arrives exactly once and in order',
    async () => {
      const random = seededRandom();
      for (const slug of ['one', 'two', 'three']) fixture.log.create(slug);
      const recorder = await fixture.follow({ queueMax: 512 });
      const boards = await live(random, [recorder]);
      for (const board of boards) {
        const end = board.items.length;
        await eventually(() => expect(recorder.seqs(board.slug, board.epoch).at(-1)).toBe(end), { timeoutMs: 15_000 });
      }
      for (const start of recorder.epochs) {
        const [, slug, epoch, head] = /^(\w+) [\w-]+>(\w+)@(\d+)$/.exec(start)!;
        const seqs = recorder.seqs(slug!, epoch);
        expect(seqs).toEqual(range(Number(head) + 1, Number(head) + seqs.length));
      }
    },
    60_000,
  );

  test.each(days)(
    'day %i: with marks, a durable and a failing handler, every seq is stored once and in order',
    async () => {
      const random = seededRandom();
      for (const slug of ['one', 'two', 'three']) fixture.log.create(slug);
      const marks = new TestMarks();
      const recorder = await fixture.follow({
        marks,
        durable: 'reader-v1',
        queueMax: 512,
        onEvents: async (_board, events) => {
          await new Promise((resolve) => setTimeout(resolve, random.integer(0, 3)));
          if (random.next() < 0.1) throw new Error('the database is away');
          // Throws when a seq is missing or comes twice.
          marks.store(events);
        },
      });
      const boards = await live(random, [recorder]);
      for (const { slug, epoch, items } of boards) {
        await eventually(() => expect(marks.marks.get(`${slug} ${epoch}`)).toBe(items.length), { timeoutMs: 20_000 });
      }
    },
    60_000,
  );
});
