import type { Dialect, DialectStream } from '../dialect.ts';
import { refusalBody } from '../refusal-body.ts';
import { encodeMessages } from './encode-messages.ts';
import { knownTimeZone } from './display-time.ts';

/**
 * `GET /api/chat/events/?token=&tz=`: the last 50 messages, oldest first, then the whole list again with each new one.
 * The first event is the snapshot, so a client that comes back has what it missed without a cursor.
 */
export const axonchatEvents: DialectStream = {
  path: '/api/chat/events/',
  token: { query: 'token' },
  parse: ({ tz }) => ({
    board: 'events',
    // Programs write to the applet's own name as well, and the lobby's screen reads both.
    subjects: ['AxonChat', 'AxonChat.lobby'],
    formatKey: knownTimeZone(tz),
  }),
  snapshot: { last: 50 },
  mode: { kind: 'cumulative', max: 200 },
  openingComment: 'connected',
  keepaliveMs: 30_000,
  keepaliveComment: 'keepalive',
  encode: encodeMessages,
  errorBody: (message) => refusalBody('axonchat', { code: undefined, message }),
};

/** AxonChat, the chat of a federated bulletin board. What is posted goes to the applet of the same name. */
export const axonchat: Dialect = { name: 'axonchat', streams: [axonchatEvents] };
