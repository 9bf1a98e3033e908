import { limits, rangePageSchema, syncResponseSchema } from '@boardwire/contracts';
import type { InternalClient } from '@boardwire/service-kit';
import type { ChatLog } from './chat-log.ts';

/** Beyond the long poll's own wait. */
const answerMs = 2_000;

/** Chat's log over its internal HTTP routes. */
export function chatLogOver(chat: InternalClient): ChatLog {
  return {
    sync: (since, signal) =>
      chat.request({
        method: 'GET',
        path: `/internal/v1/sync?wait=${limits.syncWaitMs}${since === undefined ? '' : `&since=${encodeURIComponent(since)}`}`,
        route: '/internal/v1/sync',
        schema: syncResponseSchema,
        timeoutMs: limits.syncWaitMs + answerMs,
        signal,
      }),
    range: (board, { from, to, limit, signal }) =>
      chat.request({
        method: 'GET',
        path: `/internal/v1/boards/${encodeURIComponent(board)}/range?from=${from}&to=${Math.min(to, from + limit - 1)}`,
        route: '/internal/v1/boards/{board}/range',
        schema: rangePageSchema,
        timeoutMs: limits.internalRequestTimeoutMs,
        signal,
      }),
    noteMarks: async (marks) => {
      const path = '/internal/v1/follower-marks';
      await chat.request({ method: 'PUT', path, route: path, body: marks });
    },
  };
}
