import { durables } from '@boardwire/contracts';
import { AdvisoryLock, isConnectionError, type Database } from '@boardwire/database';
import { BoardFollower, chatLogOver } from '@boardwire/follower';
import type { Bus } from '@boardwire/messaging';
import type { InternalClient, Loop, ServiceContext } from '@boardwire/service-kit';
import type { AuditConfig } from './config.ts';
import { DecisionInbox } from './decisions/decision-inbox.ts';
import { inboxLoop } from './decisions/inbox-loop.ts';
import { EventIntake } from './following/event-intake.ts';
import type { Restoration } from './http/restored.controller.ts';
import { loadCheckpointKey, type CheckpointKey } from './log/checkpoint-key.ts';
import { buildKeeping } from './forgetting/build-keeping.ts';
import type { Redactions } from './forgetting/redactions.ts';
import { buildLog } from './log/build-log.ts';
import type { Checkpointer } from './log/checkpointer.ts';
import type { Scrub } from './log/scrub.ts';
import type { Sequencer } from './log/sequencer.ts';
import { ZoneDays } from './log/zone-days.ts';
import { AuditMetrics } from './metrics.ts';
import { buildReading, type Reading } from './reading/build-reading.ts';
import { Disclosures } from './reading/disclosures.ts';
import { LogCheckpoints } from './reading/log-checkpoints.ts';
import { LogTiles } from './reading/log-tiles.ts';
import { LogProofs } from './reading/log-proofs.ts';
import { LogStatus } from './reading/log-status.ts';
import { Cosignatures } from './witnessing/cosignatures.ts';
import { KnownWitnesses } from './witnessing/known-witnesses.ts';

/** An append that takes longer is no beat: the loop shows as silent, and after some seconds a new term begins. */
const stuckMs = 1_500;

export interface AuditDependencies {
  context: ServiceContext;
  config: AuditConfig;
  database: Database;
  retentionRole: string | undefined;
  bus: Bus;
  chat: InternalClient;
}

/** What the service is made of, built once and not running yet. */
export interface AuditParts extends Reading {
  sequencer: Sequencer;
  checkpointer: Checkpointer;
  follower: BoardFollower;
  inbox: DecisionInbox;
  status: LogStatus;
  proofs: LogProofs;
  checkpoints: LogCheckpoints;
  tiles: LogTiles;
  disclosures: Disclosures;
  restoration: Restoration;
  cosignatures: Cosignatures;
  scrub: Scrub;
  /** Starts every loop; the log grows from here on. */
  start(): void;
  stop(): Promise<void>;
}

export async function buildAudit(dependencies: AuditDependencies): Promise<AuditParts> {
  const { database, context } = dependencies;
  const key = await loadCheckpointKey(database, dependencies.config.CHECKPOINT_KEY);
  const writing = buildWriting(dependencies, key);
  const { scrub, policy } = writing;
  const witnesses = new KnownWitnesses(database, writing.metrics);
  const status = new LogStatus({ database, boards: () => writing.follower.boards(), scrub, policy, witnesses });
  const proofs = new LogProofs(database, key);
  const reading = buildReading(context, database, writing.inbox);
  const { records } = reading;
  const start = () => {
    writing.start();
    context.supervisor.run('audit-reads', { beatEveryMs: 1_000 }, (loop) => records.run(loop));
    context.supervisor.run('audit-witnesses', { beatEveryMs: 1_000 }, (loop) => witnesses.run(loop));
  };
  const stop = async () => {
    await records.flush().catch((error: unknown) => {
      if (!isConnectionError(error)) throw error;
    });
    await writing.stop();
  };
  return {
    ...writing,
    ...reading,
    status,
    proofs,
    cosignatures: new Cosignatures({ database, key, proofs }),
    checkpoints: new LogCheckpoints(database),
    tiles: new LogTiles(database),
    disclosures: new Disclosures(database, dependencies.chat),
    start,
    stop,
  };
}

function buildWriting(dependencies: AuditDependencies, key: CheckpointKey) {
  const { context, config, database, bus } = dependencies;
  const { logger, supervisor } = context;
  const metrics = new AuditMetrics(context.metrics);
  const stopping = new AbortController();
  const days = new ZoneDays();
  const siteTimeZone = config.SITE_TIME_ZONE;
  const { store, sequencer, checkpointer, witness } = buildLog({
    database,
    bus,
    key,
    days,
    siteTimeZone,
    metrics,
    logger,
  });
  const loadMark = (board: string, epoch: string) => store.loadMark(board, epoch);
  const intake = new EventIntake({
    sequencer,
    days,
    siteTimeZone,
    loadMark,
    signal: stopping.signal,
  });
  const inbox = new DecisionInbox(database);
  metrics.queue('audit inbox', () => inbox.depth);
  const isLeading = () => sequencer.committed !== undefined;
  const keeping = buildKeeping({ ...dependencies, key, witness, metrics, isLeading });
  const follower = follow(dependencies, intake, keeping.redactions);
  sequencer.onNewEpoch(() => follower.reposition());
  const zoneOf = (board: string | undefined) => intake.zoneOf(board);
  const start = () => {
    supervisor.run('audit-sequencer', { beatEveryMs: 1_000 }, leading(database, sequencer));
    supervisor.run('audit-checkpoint', { beatEveryMs: 1_000 }, (loop) => checkpointer.run(loop));
    supervisor.run('audit-inbox', { beatEveryMs: 1_000 }, inboxLoop({ inbox, sequencer, days, zoneOf, metrics }));
    keeping.start();
    // A replica that has never led doesn't draw on the consumer that the leader reads.
    void sequencer.whenLeading(stopping.signal).then(() => {
      if (!stopping.signal.aborted) follower.start();
    });
  };
  const stop = async () => {
    stopping.abort();
    await follower.stop();
    await checkpointer.finish();
  };
  const noteRestored = async (by: string) => {
    await store.noteRestored(by);
    sequencer.reload('a backup was put back');
  };
  const { scrub, policy } = keeping;
  const restoration = { noteRestored };
  return { sequencer, checkpointer, follower, inbox, scrub, policy, metrics, restoration, start, stop };
}

function follow({ bus, chat, context }: AuditDependencies, intake: EventIntake, redactions: Redactions): BoardFollower {
  return new BoardFollower({
    name: 'audit',
    bus,
    chat: chatLogOver(chat),
    context,
    marks: { load: intake.position },
    durable: durables.audit,
    // What waits in memory waits longer in the log as well: the mirror keeps the rest.
    queueMax: 4_096,
    // Each append rewrites the tree's right edge: fuller batches cost less, and a checkpoint is due each second only.
    paceMs: 50,
    onEvents: intake.onEvents,
    onEpoch: intake.onEpoch,
    onControl: (changes) => {
      intake.onControl(changes);
      redactions.look(changes.boards);
    },
    onRemoved: (board) => redactions.forget(board),
  });
}

/** Leads whenever nobody else does; the loop shows as silent while an append is stuck. */
function leading(database: Database, sequencer: Sequencer): (loop: Loop) => Promise<void> {
  // A term that ends with its connection is followed by the next attempt at the lock.
  const lead = (signal: AbortSignal) =>
    sequencer.lead(signal).catch((error: unknown) => {
      if (!isConnectionError(error)) throw error;
    });
  return async (loop) => {
    const beating = setInterval(() => {
      if (sequencer.appendingMs < stuckMs) loop.beat();
    }, 250);
    try {
      await AdvisoryLock.lead(database, 'sequencer', loop.signal, lead, () => loop.beat());
    } finally {
      clearInterval(beating);
    }
  };
}
