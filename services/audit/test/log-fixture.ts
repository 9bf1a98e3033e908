import { setTimeout as sleep } from 'node:timers/promises';
import { isConnectionError, openDatabase, provisionSchemas, type Database, type Queryable } from '@boardwire/database';
import type { FollowedEvent } from '@boardwire/follower';
import { connectBus, type Bus } from '@boardwire/messaging';
import { createLogger, Metrics } from '@boardwire/service-kit';
import {
  importVerifyingKey,
  inclusionProof,
  leafHash,
  noteVerifier,
  openCheckpoint,
  verifyInclusion,
} from '@boardwire/signing';
import { startTestInfrastructure, startTestPostgres, type TestInfrastructure } from '@boardwire/test-kit';
import { auditMigrations } from '../src/database/migrations.ts';
import { DecisionInbox } from '../src/decisions/decision-inbox.ts';
import { EventIntake } from '../src/following/event-intake.ts';
import { loadCheckpointKey, logSigner, type CheckpointKey } from '../src/log/checkpoint-key.ts';
import { buildLog } from '../src/log/build-log.ts';
import type { Checkpointer } from '../src/log/checkpointer.ts';
import { hashReader } from '../src/log/hash-reader.ts';
import type { LogWitness } from '../src/log/log-witness.ts';
import type { Probe, Sequencer } from '../src/log/sequencer.ts';
import { ZoneDays } from '../src/log/zone-days.ts';
import { AuditMetrics } from '../src/metrics.ts';
import { AuditReader } from '../src/reading/audit-reader.ts';

export const epoch = 'aaaaaaaa';
export const logger = createLogger({ service: 'test', level: 'silent' });

/** The log's parts over a real Postgres, without the service around them. */
export class LogFixture {
  readonly #stopping = new AbortController();

  private constructor(
    readonly server: Pick<TestInfrastructure, 'postgres' | 'stop'>,
    readonly database: Database,
    readonly key: CheckpointKey,
    readonly bus?: Bus,
  ) {}

  /** With a bus there is a witness, as in the running service. */
  static async start({ hasBus = false }: { hasBus?: boolean } = {}): Promise<LogFixture> {
    const infrastructure = hasBus ? await startTestInfrastructure() : undefined;
    const server = infrastructure ?? (await startTestPostgres());
    const bus = infrastructure === undefined ? undefined : await busTo(infrastructure);
    const schemas = [{ schema: 'audit', role: 'boardwire_audit', password: 'p' }];
    const { audit: url } = await provisionSchemas(server.postgres.url, schemas);
    const database = await openDatabase({ url: url!, schema: 'audit', migrations: auditMigrations, logger });
    return new LogFixture(server, database, await loadCheckpointKey(database, undefined), bus);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.bus?.close();
    await this.database.close();
    await this.server.stop();
  }

  /** One life of the process that appends. `kill()` ends it without any chance to tidy up. */
  live(probe?: Probe): Life {
    return new Life(this, probe);
  }

  /** Checks all there is: numbering, and every entry's inclusion in the newest checkpoint. */
  async verifyWhole(): Promise<{ size: number; boards: Map<string, number[]> }> {
    const [tree] = await this.database.query<{ epoch: string; size: number }>('SELECT epoch, size FROM tree');
    const { size } = tree!;
    const rows = await this.database.query<{ seq: number; record: Buffer }>(
      'SELECT seq, record FROM entry ORDER BY seq',
    );
    if (rows.some(({ seq }, at) => seq !== at) || rows.length !== size) throw new Error('entries are not 0…size-1');
    const [newest] = await this.database.query<{ note: string }>(
      'SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1',
    );
    const signer = logSigner(this.key, tree!.epoch);
    const checkpoint = openCheckpoint(
      newest!.note,
      noteVerifier(signer.name, importVerifyingKey(this.key.key.publicKey)),
    );
    const read = hashReader(remembering(this.database));
    for (const { seq, record } of rows.slice(0, checkpoint.size)) {
      const proof = await inclusionProof(seq, checkpoint.size, read);
      const claim = { index: seq, size: checkpoint.size, leaf: leafHash(record), proof, root: checkpoint.root };
      if (!verifyInclusion(claim)) throw new Error(`entry ${seq} is not in the checkpoint`);
    }
    return { size, boards: boardSeqs(rows.map(({ record }) => record)) };
  }
}

function busTo({ env }: TestInfrastructure): Promise<Bus> {
  return connectBus({ url: env.NATS_URL, token: env.NATS_TOKEN, name: 'test', logger });
}

export class Life {
  readonly sequencer: Sequencer;
  readonly checkpointer: Checkpointer;
  readonly intake: EventIntake;
  readonly inbox: DecisionInbox;
  readonly metrics = new Metrics();
  readonly auditMetrics: AuditMetrics;
  readonly witness: LogWitness | undefined;
  readonly #ending = new AbortController();
  readonly #led: Promise<void>;

  constructor({ database, key, bus }: Pick<LogFixture, 'database' | 'key' | 'bus'>, probe?: Probe) {
    const metrics = new AuditMetrics(this.metrics);
    this.auditMetrics = metrics;
    const days = new ZoneDays();
    const log = buildLog({ database, key, bus, days, siteTimeZone: 'UTC', metrics, logger, probe });
    const { store } = log;
    this.witness = log.witness;
    this.sequencer = log.sequencer;
    this.checkpointer = log.checkpointer;
    this.inbox = new DecisionInbox(database);
    this.intake = new EventIntake({
      sequencer: this.sequencer,
      days,
      siteTimeZone: 'UTC',
      loadMark: (board, of) => store.loadMark(board, of),
      signal: this.#ending.signal,
    });
    this.#led = this.#lead();
  }

  /** Resolves with the error that ended a life by damage. */
  get ended(): Promise<void> {
    return this.#led;
  }

  submit(board: string, from: number, to: number): Promise<void> {
    const events = Array.from({ length: to - from + 1 }, (_, at) => eventAt(board, from + at));
    return this.intake.onEvents(board, events);
  }

  /** Resolves when it leads. */
  led(): Promise<void> {
    return this.sequencer.whenLeading(this.#ending.signal);
  }

  async kill(): Promise<void> {
    this.#ending.abort();
    await this.#led.catch(() => undefined);
  }

  async #lead(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      await this.sequencer.lead(this.#ending.signal).catch((error: unknown) => {
        if (!isConnectionError(error)) throw error;
      });
      await sleep(5);
    }
  }
}

export function eventAt(board: string, seq: number, more: Partial<FollowedEvent> = {}): FollowedEvent {
  const stored = {
    specversion: '1.0',
    id: `e${seq}`,
    source: '/users/u1',
    type: 'chat.message',
    subject: 'AxonChat.lobby',
    time: '2026-11-01T12:00:00Z',
    data: { text: `число ${seq}` },
    board,
    author: 'u1',
    authorname: 'Анна',
    origin: 'bs1site',
    class: 'log',
  };
  return {
    board,
    epoch,
    seq,
    subject: stored.subject,
    type: stored.type,
    class: 'log',
    bytes: Buffer.from(JSON.stringify(stored)),
    committedMs: Date.UTC(2026, 10, 1, 12) + seq,
    streamed: true,
    datahash: 'ab'.repeat(32),
    ...more,
  };
}

/** Nothing is appended while the whole log is checked, so each tile is read once. */
function remembering(database: Queryable): Queryable {
  const answers = new Map<string, Promise<object[]>>();
  return {
    query<T extends object>(sql: string, parameters: readonly unknown[] = []): Promise<T[]> {
      const key = JSON.stringify([sql, parameters]);
      let answer = answers.get(key);
      if (answer === undefined) answers.set(key, (answer = database.query<T>(sql, parameters)));
      return answer as Promise<T[]>;
    },
  };
}

export const readerOver = (fixture: LogFixture) => new AuditReader(fixture.database);

function boardSeqs(records: readonly Buffer[]): Map<string, number[]> {
  const boards = new Map<string, number[]>();
  for (const record of records) {
    const fields = JSON.parse(record.toString('utf8')) as { kind: string; board?: string; seq?: number };
    if (fields.kind !== 'event') continue;
    const seqs = boards.get(fields.board!) ?? [];
    seqs.push(fields.seq!);
    boards.set(fields.board!, seqs);
  }
  return boards;
}
