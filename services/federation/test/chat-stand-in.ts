import {
  boardsStream,
  foreignAppendRequestSchema,
  redactionsRequestSchema,
  type RedactionsRequest,
  boardSubject,
  busHeaders,
  messageId,
  type AppendOutcome,
  type Board,
  type AppendResponse,
  type ForeignItem,
  type RangeItem,
  type RemovedSeqs,
  type SyncBoard,
  type SyncResponse,
} from '@boardwire/contracts';
import { connectBus, type Bus } from '@boardwire/messaging';
import {
  AppError,
  commonConfig,
  createContext,
  createLogger,
  readConfig,
  startInternalServer,
} from '@boardwire/service-kit';
import type { TestInfrastructure } from '@boardwire/test-kit';
import { Body, Controller, Get, HttpCode, Inject, Module, Param, Post, Query } from '@nestjs/common';

const epoch = 'aaaaaaaa';
const shownBoard = {
  is_realtime: true,
  time_zone: 'UTC',
  retention: { days: null },
  federation_room_id: null,
  trusted_peers: [],
  subscribers: 0,
};

/** Boards in memory, answered as chat's internal routes do; federation's tests must not depend on another service. */
export class BoardLogs {
  readonly boards = new Map<string, RangeItem[]>();

  /** Events of other sites, each once, in the order they came. */
  readonly foreign = new Map<string, ForeignItem[]>();
  /** What other sites have removed, and how many of their events were there by then. */
  readonly redacted: { items: RedactionsRequest['items']; after: number }[] = [];
  /** Ids that are refused. */
  refused: ReadonlySet<string> = new Set();
  /** An id that spoils the whole request it is in. */
  poison: string | undefined;
  /** May throw before and after what is asked for is done. */
  trouble: (step: 'before' | 'after', board: string) => void = () => undefined;

  takeForeign(board: string, items: readonly ForeignItem[]): AppendOutcome[] {
    this.trouble('before', board);
    if (items.some(({ id }) => id === this.poison)) throw new AppError('invalid');
    const outcomes = items.map((item) => this.#takeOne(board, item));
    this.trouble('after', board);
    return outcomes;
  }

  #takeOne(board: string, item: ForeignItem): AppendOutcome {
    const { id, time, source, origin } = item;
    if (this.refused.has(id)) return { outcome: 'refused', id, code: 'forbidden' };
    const log = this.foreign.get(board) ?? [];
    const at = log.findIndex((known) => known.id === id && known.source === source && known.origin === origin);
    if (at !== -1) return { outcome: 'repeated', id, seq: at + 1, epoch, time };
    this.foreign.set(board, [...log, item]);
    return { outcome: 'created', id, seq: log.length + 1, epoch, time };
  }

  remove(board: string, seq: number): void {
    const items = this.boards.get(board)!;
    const { body: _body, salt: _salt, ...rest } = items[seq - 1]!;
    items[seq - 1] = { ...rest, removed: { id: `e${seq}` } };
  }

  append(board: string, count: number, made: (seq: number) => RangeItem = itemAt): RangeItem[] {
    const items = this.boards.get(board) ?? [];
    const added = Array.from({ length: count }, (_, at) => made(items.length + at + 1));
    this.boards.set(board, [...items, ...added]);
    return added;
  }
}

const logsToken = Symbol('logs');

@Controller('/internal/v1')
class LogController {
  constructor(@Inject(logsToken) private readonly logs: BoardLogs) {}

  @Get('sync')
  sync(): SyncResponse {
    const boards = [...this.logs.boards].map(([slug, items], id) => ({
      ...syncBoardOf(slug, id, items.length),
      removals: items.filter(({ removed }) => removed !== undefined).length,
    }));
    return { version: '1', full: true, boards, removedBoards: [], revocations: [] };
  }

  @Get('boards/:board')
  board(@Param('board') slug: string): Board {
    if (!this.logs.boards.has(slug)) throw new AppError('board_unknown');
    return { ...syncBoardOf(slug, 1, 0), ...shownBoard, title: slug };
  }

  @Get('boards/:board/range')
  range(@Param('board') board: string, @Query() { from, to, salts }: { from: string; to: string; salts?: string }) {
    const items = this.logs.boards.get(board) ?? [];
    const page = items.slice(Number(from) - 1, Number(to));
    return {
      board,
      epoch,
      head: items.length,
      items: salts === 'true' ? page : page.map(({ salt: _, ...item }) => item),
    };
  }

  @Get('boards/:board/removed')
  removed(@Param('board') board: string, @Query() { before }: { before?: string }): RemovedSeqs {
    const all = (this.logs.boards.get(board) ?? []).filter(({ removed }) => removed !== undefined);
    const seqs = all.map(({ seq }) => seq).filter((seq) => before === undefined || seq < Number(before));
    return { removals: all.length, seqs: seqs.toReversed().slice(0, 2) };
  }

  @Post('boards/:board/foreign-events')
  @HttpCode(200)
  foreign(@Param('board') board: string, @Body() body: unknown): AppendResponse {
    return { outcomes: this.logs.takeForeign(board, foreignAppendRequestSchema.parse(body).items) };
  }

  @Post('boards/:board/redactions')
  @HttpCode(204)
  redact(@Param('board') board: string, @Body() body: unknown): void {
    const { items } = redactionsRequestSchema.parse(body);
    this.logs.redacted.push({ items, after: this.logs.foreign.get(board)?.length ?? 0 });
  }
}

@Module({})
class LogModule {}

/** Chat, as federation sees it: its internal port and the mirror on a real nats-server. */
export class ChatStandIn {
  readonly logs = new BoardLogs();

  private constructor(
    readonly url: string,
    readonly bus: Bus,
    readonly close: () => Promise<void>,
  ) {}

  static async start(infrastructure: TestInfrastructure, secret: string): Promise<ChatStandIn> {
    const { NATS_URL: url, NATS_TOKEN: token } = infrastructure.env;
    const logger = createLogger({ service: 'test', level: 'silent' });
    const bus = await connectBus({ url, token, name: 'test', logger });
    await bus.streams.ensure(boardsStream);
    const context = createContext('chat', readConfig(commonConfig, { INTERNAL_SECRET: secret, LOG_LEVEL: 'silent' }));
    const logs = new BoardLogs();
    const providers = [{ provide: logsToken, useValue: logs }];
    const module = { module: LogModule, controllers: [LogController], providers };
    const server = await startInternalServer(context, module, { host: '127.0.0.1', port: 0 });
    const close = async () => {
      await server.close();
      await bus.close();
    };
    return Object.assign(new ChatStandIn(server.url, bus, close), { logs });
  }

  /** Appends and mirrors; `mirrored: false` leaves the mirror with a hole. */
  async publish(board: string, count: number, { mirrored = true, made = itemAt } = {}): Promise<void> {
    const added = this.logs.append(board, count, made);
    if (!mirrored) return;
    const publisher = this.bus.publisher({ windowMax: 10_000, ackTimeoutMs: 2_000 });
    await Promise.all(
      added.map((item) =>
        publisher.publish(boardSubject(board, item.subject), Buffer.from(item.body ?? ''), {
          [busHeaders.messageId]: messageId(board, epoch, item.seq),
          [busHeaders.seq]: String(item.seq),
          [busHeaders.epoch]: epoch,
          [busHeaders.type]: item.type,
          [busHeaders.class]: item.class,
          [busHeaders.time]: String(item.committedMs),
        }),
      ),
    );
  }
}

function syncBoardOf(slug: string, id: number, head: number): SyncBoard {
  return { slug, id, epoch, epochOrdinal: 0, head, relayed: head, timeZone: 'UTC', rules: [] };
}

function itemAt(seq: number): RangeItem {
  const body = JSON.stringify({ specversion: '1.0', id: `e${seq}`, data: { seq } });
  return { seq, subject: 'GameScore.a', type: 'score', class: 'log', committedMs: seq, datahash: `h${seq}`, body };
}
