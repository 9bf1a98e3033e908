import { setTimeout as sleep } from 'node:timers/promises';
import { boardsStream } from '@boardwire/contracts';
import { openDatabase, type Database } from '@boardwire/database';
import { connectBus, type Bus } from '@boardwire/messaging';
import { boundedSignal, createContext, type Environment, type ServiceContext } from '@boardwire/service-kit';
import { buildChat, type ChatParts } from '../chat-parts.ts';
import type { WatchedBoard } from '../boards/board-watch.ts';
import { readChatConfig } from '../config.ts';
import { RelayStore } from '../log/relay-store.ts';

export interface RebuildMirrorOptions {
  /** Only this board; the stream and what else is in it stay. Without it the stream is made anew. */
  board?: string;
  /** Tells what would be done, and does nothing. */
  isDryRun?: boolean;
  onProgress?: (progress: { published: number; events: number }) => void;
  /** Stops waiting. What was asked for goes on wherever chat runs. */
  signal: AbortSignal;
}

export interface RebuiltBoard {
  board: string;
  /** Behind this seq it was begun; before it everything is older than the stream keeps, or pruned. */
  after: number;
  /** Its head when it was asked. */
  head: number;
}

/** What an operator has to know or to do; its text says it. */
export class MirrorUnavailable extends Error {
  override readonly name = 'MirrorUnavailable';
}

const connectMs = 5_000;
const lookEveryMs = 100;

/**
 * Puts boards into the mirror anew. The leader of the relay does it, among everything else that it publishes, so that
 * there is one writer and one order; where no chat runs, this process is a replica that leads.
 *
 * @param env of the chat service
 */
export async function rebuildMirror(env: Environment, options: RebuildMirrorOptions): Promise<RebuiltBoard[]> {
  const config = { ...readChatConfig(env), LOG_LEVEL: 'silent' as const, LOG_FILE: undefined };
  const context = createContext('operator', config);
  const { logger } = context;
  const database = await openDatabase({ url: config.DATABASE_URL, schema: 'chat', migrations: [], waitMs: 0, logger });
  const { NATS_URL: url, NATS_TOKEN: token, NATS_REPLICAS: streamReplicas } = config;
  const bus = await connectBus({ url, token, streamReplicas, name: 'operator', logger });
  const parts = buildChat({ context, config, database, bus });
  const bounded = boundedSignal(connectMs, options.signal);
  try {
    await bus.whenConnected(bounded.signal);
    if (!bus.connected) throw new MirrorUnavailable('NATS does not answer at NATS_URL, or refuses NATS_TOKEN');
    return await rebuild({ context, database, bus, parts }, options);
  } finally {
    bounded.release();
    await context.supervisor.stop();
    await Promise.all([parts.federation.close(), parts.audit?.close()]);
    await bus.close();
    await database.close();
  }
}

interface Replica {
  context: ServiceContext;
  database: Database;
  bus: Bus;
  parts: ChatParts;
}

async function rebuild(replica: Replica, options: RebuildMirrorOptions): Promise<RebuiltBoard[]> {
  const { database, bus, parts } = replica;
  await parts.watch.refresh();
  const boards = parts.watch.all().filter(({ slug }) => options.board === undefined || slug === options.board);
  if (boards.length === 0) throw new MirrorUnavailable(`there is no board “${options.board}”`);
  const store = new RelayStore(database);
  const plan = await planOf(boards, store);
  if (options.isDryRun === true || options.signal.aborted) return plan;
  // The relay makes it again at once; what it publishes before it sees the request is taken out again.
  if (options.board === undefined) await bus.streams.delete(boardsStream.name);
  await store.askRebuild(boards.map(({ id }) => id));
  await parts.watch.refresh();
  const asked = new Map(boards.map(({ id }) => [id, parts.watch.get(id)?.rebuildsAsked ?? 0]));
  runReplica(replica);
  await untilPublished(parts, plan, asked, options);
  return plan;
}

async function planOf(boards: readonly WatchedBoard[], store: RelayStore): Promise<RebuiltBoard[]> {
  const plan: RebuiltBoard[] = [];
  for (const { slug, head, ...board } of boards) {
    // oxlint-disable-next-line no-await-in-loop -- a few questions for each board
    const after = await store.lastBefore({ ...board, head }, Date.now() - boardsStream.maxAgeMs);
    plan.push({ board: slug, after, head });
  }
  return plan;
}

/** Leads the relay when nobody else does. */
function runReplica({ context: { supervisor }, parts }: Replica): void {
  supervisor.run('board-watch', { beatEveryMs: 1_000 }, (loop) => parts.watch.run(loop));
  supervisor.run('relay', { beatEveryMs: 1_000 }, (loop) => parts.relay.run(loop));
}

async function untilPublished(
  { watch }: ChatParts,
  plan: readonly RebuiltBoard[],
  asked: ReadonlyMap<number, number>,
  { onProgress, signal }: RebuildMirrorOptions,
): Promise<void> {
  const events = plan.reduce((sum, { after, head }) => sum + head - after, 0);
  const heads = new Map(plan.map(({ board, after, head }) => [board, { after, head }]));
  while (!signal.aborted) {
    let published = 0;
    for (const board of watch.all()) {
      const { after, head } = heads.get(board.slug) ?? { after: 0, head: 0 };
      const isBegun = board.rebuilds >= (asked.get(board.id) ?? 0);
      published += isBegun ? Math.max(0, Math.min(board.relayed, head) - after) : 0;
    }
    const isBegun = watch.all().every(({ id, rebuilds }) => rebuilds >= (asked.get(id) ?? 0));
    onProgress?.({ published, events });
    if (isBegun && published >= events) return;
    // oxlint-disable-next-line no-await-in-loop -- polling
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}
