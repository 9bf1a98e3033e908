import { appendResponseSchema, rangePageSchema, removedSeqsSchema } from '@boardwire/contracts';
import type { InternalClient } from '@boardwire/service-kit';
import type { ForeignAppend, ForeignRedact } from '../handover/handover-worker.ts';
import type { RemovedSeqs } from './own-redactions.ts';
import type { SaltedRange } from './own-feeds.ts';

const boardPath = (board: string) => `/internal/v1/boards/${encodeURIComponent(board)}`;

/** A board's log with salts, which chat gives to federation alone. */
export function saltedRangeOver(chat: InternalClient): SaltedRange {
  return (board, { from, to }) =>
    chat.request({
      method: 'GET',
      path: `${boardPath(board)}/range?from=${from}&to=${to}&salts=true`,
      route: '/internal/v1/boards/{board}/range',
      schema: rangePageSchema,
    });
}

/** Events of other sites into a board's log. */
export function foreignAppendOver(chat: InternalClient): ForeignAppend {
  return async (board, items) => {
    const { outcomes } = await chat.request({
      method: 'POST',
      path: `${boardPath(board)}/foreign-events`,
      route: '/internal/v1/boards/{board}/foreign-events',
      body: { items },
      schema: appendResponseSchema,
    });
    return outcomes;
  };
}

/** Content that other sites have removed, out of a board's log and everywhere behind it. */
export function foreignRedactOver(chat: InternalClient): ForeignRedact {
  return async (board, items) => {
    await chat.request({
      method: 'POST',
      path: `${boardPath(board)}/redactions`,
      route: '/internal/v1/boards/{board}/redactions',
      body: { items },
    });
  };
}

/** One that is removed while the pages are read raises the count, and so is found by the next look. */
export function removedOver(chat: InternalClient): RemovedSeqs {
  return async (board, signal) => {
    const all: number[] = [];
    for (;;) {
      const before = all.length === 0 ? '' : `&before=${all.at(-1)}`;
      // oxlint-disable-next-line no-await-in-loop -- one page after the other
      const { seqs } = await chat.request({
        method: 'GET',
        path: `${boardPath(board)}/removed?from=1${before}`,
        route: '/internal/v1/boards/{board}/removed',
        schema: removedSeqsSchema,
        signal,
      });
      if (seqs.length === 0) return all;
      all.push(...seqs);
    }
  };
}
