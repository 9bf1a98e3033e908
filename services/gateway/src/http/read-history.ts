import { formatCursor, type HistoryPage, type RangeItem } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { Gateway } from '../gateway.ts';
import { wantedOf } from '../intake/chat-board-log.ts';
import type { Access } from '../rights/access.ts';
import type { HistoryQueryParameters } from './query.ts';

export interface HistoryRead {
  board: string;
  epoch: string;
  head: number;
  /** The first seq that the board still keeps. */
  oldest: number;
  /** In chronological order, with their stored JSON. */
  items: { cursor: string; body: string }[];
  /** Cursors to go on with, where there is or may be more. */
  next: string | null;
  prev: string | null;
}

export interface HistoryRequest {
  access: Access;
  board: string;
  asked: HistoryQueryParameters;
  /** A shorter page rather than a larger one; the first event always fits. */
  bytesMax?: number;
}

/** One page of a board's past, as far as the reader may see it. */
export async function readHistory(
  gateway: Gateway,
  { access, board, asked, bytesMax }: HistoryRequest,
): Promise<HistoryRead> {
  await gateway.boards.find(board);
  const { channel, wanted } = gateway.subscriptions.resolve({
    access,
    board,
    subjects: asked.subjects,
    types: asked.types,
  });
  const { after, before, limit } = asked;
  const page = await gateway.log.history(board, {
    ...wantedOf(wanted),
    ...(after === undefined ? {} : { after: after.seq }),
    ...boundedBy(asked),
    limit,
    ...(bytesMax === undefined ? {} : { bytesMax }),
  });
  const epoch = after?.epoch ?? before?.epoch;
  if (epoch !== undefined && epoch !== page.epoch) {
    throw new AppError('invalid_cursor', { detail: `the board is in epoch ${page.epoch} now` });
  }
  const isShown = ({ subject, type, body }: RangeItem) =>
    body !== undefined &&
    wanted.matchesSubject(subject, channel.access.isOpen(subject)) &&
    !wanted.ignores({ type, bytes: body });
  const shown = page.items.filter(isShown);
  return {
    board,
    epoch: page.epoch,
    head: page.head,
    oldest: page.oldest ?? 1,
    items: shown.map((item) => ({ cursor: formatCursor(page.epoch, item.seq), body: item.body! })),
    ...around(page, asked),
  };
}

/** Forward with an end is a range up to it; without `after`, `before` counts back from there. */
function boundedBy({ after, before }: HistoryQueryParameters): { before?: number; upTo?: number } {
  if (before === undefined) return {};
  return after === undefined ? { before: before.seq } : { upTo: Math.max(0, before.seq - 1) };
}

function around(page: HistoryPage, { after, before }: HistoryQueryParameters) {
  const first = page.items[0];
  const last = page.items.at(-1);
  const cursor = (item: RangeItem | undefined) => (item === undefined ? null : formatCursor(page.epoch, item.seq));
  if (after !== undefined) {
    return {
      next: page.more ? cursor(last) : null,
      prev: first !== undefined && first.seq > (page.oldest ?? 1) ? cursor(first) : null,
    };
  }
  return { next: before === undefined ? null : cursor(last), prev: page.more ? cursor(first) : null };
}
