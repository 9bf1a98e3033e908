import {
  boardsStream,
  boardSubject,
  busHeaders,
  messageId,
  type RangeItem,
  type SyncBoard,
  type SyncResponse,
} from '@boardwire/contracts';
import { connectBus, type Bus } from '@boardwire/messaging';
import { commonConfig, createContext, createLogger, readConfig, startInternalServer } from '@boardwire/service-kit';
import type { TestInfrastructure } from '@boardwire/test-kit';
import { Controller, Get, Inject, Module, Param, Query } from '@nestjs/common';

const epoch = 'aaaaaaaa';

/** Boards in memory, answered as chat's internal routes do; federation's tests must not depend on another service. */
export class BoardLogs {
  readonly boards = new Map<string, RangeItem[]>();

  append(board: string, count: number): RangeItem[] {
    const items = this.boards.get(board) ?? [];
    const added = Array.from({ length: count }, (_, at) => itemAt(items.length + at + 1));
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
    const boards = [...this.logs.boards].map(([slug, items], id) => syncBoardOf(slug, id, items.length));
    return { version: '1', full: true, boards, removedBoards: [], revocations: [] };
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
  async publish(board: string, count: number, { mirrored = true } = {}): Promise<void> {
    const added = this.logs.append(board, count);
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
