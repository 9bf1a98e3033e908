import {
  boardsStream,
  boardSubject,
  busHeaders,
  messageId,
  type RangeItem,
  type RemovedSeqs,
  type SyncResponse,
} from '@boardwire/contracts';
import { connectBus, type Bus } from '@boardwire/messaging';
import { commonConfig, createContext, createLogger, readConfig, startInternalServer } from '@boardwire/service-kit';
import type { TestInfrastructure } from '@boardwire/test-kit';
import { Controller, Get, Inject, Module, Param, Query } from '@nestjs/common';

const epoch = 'aaaaaaaa';

/** Boards in memory, answered as chat's internal routes do; audit's tests must not depend on another service. */
class BoardLogs {
  readonly boards = new Map<string, RangeItem[]>();
  readonly removed = new Map<string, number[]>();

  append(board: string, count: number): RangeItem[] {
    const items = this.boards.get(board) ?? [];
    const added = Array.from({ length: count }, (_, at) => itemAt(board, items.length + at + 1));
    this.boards.set(board, [...items, ...added]);
    return added;
  }

  remove(board: string, seq: number): void {
    const { body: _, ...left } = this.boards.get(board)![seq - 1]!;
    this.boards.get(board)![seq - 1] = { ...left, removed: { id: `e${seq}` } };
    this.removed.set(board, [...(this.removed.get(board) ?? []), seq]);
  }
}

const logsToken = Symbol('logs');

@Controller('/internal/v1')
class LogController {
  constructor(@Inject(logsToken) private readonly logs: BoardLogs) {}

  @Get('sync')
  sync(): SyncResponse {
    const boards = [...this.logs.boards].map(([slug, { length: head }], id) => {
      const removals = this.logs.removed.get(slug)?.length ?? 0;
      return { slug, id, epoch, epochOrdinal: 0, head, relayed: head, removals, timeZone: 'Europe/Rome', rules: [] };
    });
    return { version: '1', full: true, boards, removedBoards: [], revocations: [] };
  }

  @Get('boards/:board/removed')
  removed(@Param('board') board: string, @Query() { before = 'Infinity' }: { before?: string }): RemovedSeqs {
    const all = this.logs.removed.get(board) ?? [];
    // Newest first, in the smallest pages there can be.
    const seqs = all.toSorted((left, right) => right - left).filter((seq) => seq < Number(before));
    return { removals: all.length, seqs: seqs.slice(0, 1) };
  }

  @Get('boards/:board/range')
  range(@Param('board') board: string, @Query() { from, to }: { from: string; to: string }) {
    const items = this.logs.boards.get(board) ?? [];
    return { board, epoch, head: items.length, items: items.slice(Number(from) - 1, Number(to)) };
  }
}

@Module({})
class LogModule {}

/** Chat, as audit sees it: its internal port, and the mirror on a real nats-server. */
export class ChatStandIn {
  private constructor(
    readonly url: string,
    private readonly logs: BoardLogs,
    private readonly bus: Bus,
    readonly close: () => Promise<void>,
  ) {}

  static async start(infrastructure: TestInfrastructure, secret: string): Promise<ChatStandIn> {
    const { NATS_URL: url, NATS_TOKEN: token } = infrastructure.env;
    const bus = await connectBus({
      url,
      token,
      name: 'test',
      logger: createLogger({ service: 'test', level: 'silent' }),
    });
    await bus.streams.ensure(boardsStream);
    const context = createContext('chat', readConfig(commonConfig, { INTERNAL_SECRET: secret, LOG_LEVEL: 'silent' }));
    const logs = new BoardLogs();
    const providers = [{ provide: logsToken, useValue: logs }];
    const module = { module: LogModule, controllers: [LogController], providers };
    const server = await startInternalServer(context, module, { host: '127.0.0.1', port: 0 });
    return new ChatStandIn(server.url, logs, bus, async () => {
      await server.close();
      await bus.close();
    });
  }

  /** Takes the content of an event away; what is in the mirror already stays there. */
  remove(board: string, seq: number): void {
    this.logs.remove(board, seq);
  }

  head(board: string): number {
    return this.logs.boards.get(board)?.length ?? 0;
  }

  /** Appends and mirrors; `mirrored: false` leaves the mirror with a hole. */
  async publish(board: string, count: number, { mirrored = true } = {}): Promise<void> {
    const added = this.logs.append(board, count);
    if (!mirrored) return;
    const publisher = this.bus.publisher({ windowMax: 10_000, ackTimeoutMs: 20_000 });
    await Promise.all(
      added.map((item) =>
        publisher.publish(boardSubject(board, item.subject), Buffer.from(item.body!), {
          [busHeaders.messageId]: messageId(board, epoch, item.seq),
          [busHeaders.seq]: String(item.seq),
          [busHeaders.epoch]: epoch,
          [busHeaders.type]: item.type,
          [busHeaders.class]: item.class,
          [busHeaders.time]: String(item.committedMs),
          [busHeaders.datahash]: item.datahash,
        }),
      ),
    );
  }
}

function itemAt(board: string, seq: number): RangeItem {
  const subject = 'AxonChat.lobby';
  const stored = {
    specversion: '1.0',
    id: `e${seq}`,
    source: '/users/u1',
    type: 'chat.message',
    subject,
    time: '2026-11-01T12:00:00Z',
    data: { text: `message ${seq}` },
    board,
    author: 'u1',
    authorname: 'Ada',
    origin: 'bs1here',
    class: 'log',
  };
  return {
    seq,
    subject,
    type: stored.type,
    class: 'log',
    committedMs: Date.UTC(2026, 10, 1, 12) + seq,
    datahash: seq.toString(16).padStart(64, '0'),
    body: JSON.stringify(stored),
  };
}
