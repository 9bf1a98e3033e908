import {
  historyPageSchema,
  limits,
  rangePageSchema,
  removedSeqsSchema,
  type HistoryPage,
  type HistoryQuery,
  type RangeItem,
  type RemovedSeqs,
} from '@boardwire/contracts';
import type { InternalClient } from '@boardwire/service-kit';
import type { BoardLog, CountQuery, LogPage, NewestQuery, PageQuery } from '../delivery/board-log.ts';
import type { LogEvent } from '../delivery/board-ring.ts';
import type { FilterSet } from '../delivery/filter-set.ts';

const historyRoute = '/internal/v1/boards/{board}/history';
const rangeRoute = '/internal/v1/boards/{board}/range';

/** Reads the log over chat's internal routes. */
export class ChatBoardLog implements BoardLog {
  readonly #chat: InternalClient;

  constructor(chat: InternalClient) {
    this.#chat = chat;
  }

  history(board: string, query: HistoryQuery): Promise<HistoryPage> {
    const path = `/internal/v1/boards/${encodeURIComponent(board)}/history`;
    return this.#chat.request({ method: 'POST', path, route: historyRoute, body: query, schema: historyPageSchema });
  }

  /** The newest event of each matching subject of class `state`. */
  state(board: string, { filters, memberFilters }: FilterSet): Promise<HistoryPage> {
    const path = `/internal/v1/boards/${encodeURIComponent(board)}/state`;
    return this.#chat.request({
      method: 'POST',
      path,
      route: '/internal/v1/boards/{board}/state',
      body: { subjects: filters, memberSubjects: memberFilters },
      schema: historyPageSchema,
    });
  }

  async head(board: string): Promise<{ epoch: string; head: number }> {
    const { epoch, head } = await this.history(board, { subjects: ['>'], limit: 1 });
    return { epoch, head };
  }

  async after(board: string, { wanted, after, upTo, bytesMax }: PageQuery): Promise<LogPage> {
    const asked = { ...wantedOf(wanted), after, upTo, limit: limits.historyPageMax, bytesMax };
    const page = await this.history(board, asked);
    const events = page.items.map(toLogEvent);
    const { epoch, oldest = 1 } = page;
    return { epoch, oldest, events, to: page.more ? (events.at(-1)?.seq ?? after) : upTo };
  }

  async count(board: string, query: CountQuery): Promise<{ epoch: string; count: number }> {
    const { after, upTo, max } = query;
    const asked = { ...wantedOf(query.wanted), after, upTo, limit: 1, countMax: max };
    const { epoch, count } = await this.history(board, asked);
    if (count === undefined) throw new Error('chat answered a counting query without a count');
    return { epoch, count };
  }

  async newest(board: string, query: NewestQuery): Promise<{ epoch: string; events: LogEvent[] }> {
    const { upTo, count } = query;
    const { epoch, items } = await this.history(board, { ...wantedOf(query.wanted), upTo, limit: count });
    return { epoch, events: items.map(toLogEvent) };
  }

  removed(board: string, from: number): Promise<RemovedSeqs> {
    return this.#chat.request({
      method: 'GET',
      path: `/internal/v1/boards/${encodeURIComponent(board)}/removed?from=${from}`,
      route: '/internal/v1/boards/{board}/removed',
      schema: removedSeqsSchema,
    });
  }

  async range(board: string, { from, to }: { from: number; to: number }) {
    const page = await this.#chat.request({
      method: 'GET',
      path: `/internal/v1/boards/${encodeURIComponent(board)}/range?from=${from}&to=${to}&limit=${limits.rangePageMax}`,
      route: rangeRoute,
      schema: rangePageSchema,
    });
    return { epoch: page.epoch, events: page.items.map(toLogEvent) };
  }
}

/** Chat leaves out what the reader may not see, so that pages are full and counts tell nothing of others. */
export function wantedOf(wanted: FilterSet): Pick<HistoryQuery, 'subjects' | 'memberSubjects' | 'types'> {
  const { filters, memberFilters, types } = wanted;
  return {
    subjects: [...filters],
    memberSubjects: [...memberFilters],
    ...(types === undefined ? {} : { types: [...types] }),
  };
}

function toLogEvent({ seq, subject, type, committedMs, body, ...item }: RangeItem): LogEvent {
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
  return { seq, subject, type, isState: item.class === 'state', bytes, committedMs, removed: body === undefined };
}
