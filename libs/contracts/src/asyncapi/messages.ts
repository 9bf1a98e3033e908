import { z } from 'zod';
import { cloudEventSchema } from '../cloud-event.ts';
import { controlEvent, controlEventSchema, type ControlName } from '../control-event.ts';
import { answerSchemas, historyItemSchema } from '../openapi/answer-schemas.ts';
import { requestSchemas } from '../openapi/request-schemas.ts';
import {
  authFrameSchema,
  historyFrameSchema,
  pingFrameSchema,
  presenceFrameSchema,
  publishFrameSchema,
  subscribeFrameSchema,
  typingFrameSchema,
  unsubscribeFrameSchema,
} from '../frames.ts';
import * as server from '../server-frames.ts';
import { caughtUpSchema, reconnectSchema, resetSchema, resumedSchema, skippedSchema, stalledSchema } from '../sse.ts';

/** One message of a wire, as documents know it. Examples are checked against their schemas. */
export interface DocumentedMessage {
  summary: string;
  schema: z.ZodType;
  example: unknown;
}
type Messages = Readonly<Record<string, DocumentedMessage>>;

const cursor = 'k3v9x2m1-42';
const earlier = 'k3v9x2m1-40';
const epoch = 'k3v9x2m1';
const user = { id: 'u1', name: 'ana' };
const { cursor: _cursor, ...storedEvent } = answerSchemas.HistoryItem.example;
const history = answerSchemas.History.example;
const state = answerSchemas.State.example;
const resumed = { from: earlier, head: cursor, replayed: 2, epoch };
const reset = { requested: 'aaaaaaaa-3', reason: 'epoch' as const, oldest: 'k3v9x2m1-0', head: cursor };
const stalled = { since: '2026-03-01T09:30:00.000Z', reason: 'bus' as const };
const reconnect = { reason: 'drain' as const, afterMs: 1200 };
const nothing = z.object({});

/** Frames of `boardwire.v1` that a client sends. */
export const clientMessages: Messages = {
  auth: {
    summary: 'Says who connects; later a newer token, in place',
    schema: authFrameSchema,
    example: { type: 'auth', token: 'eyJ…' },
  },
  subscribe: {
    summary: 'Opens a subscription under a name of the client’s own',
    schema: subscribeFrameSchema,
    example: { type: 'subscribe', sub: 's1', board: 'events', subjects: ['AxonChat.>'], after: earlier },
  },
  unsubscribe: {
    summary: 'Ends a subscription',
    schema: unsubscribeFrameSchema,
    example: { type: 'unsubscribe', sub: 's1' },
  },
  publish: {
    summary: 'Publishes an event; `ack` or `fail` answers',
    schema: publishFrameSchema,
    example: { type: 'publish', req: 1, board: 'events', event: requestSchemas.PlainEvent.example },
  },
  presence: {
    summary: 'Asks who is where the subscription reads, and is told of joins and leaves from then on',
    schema: presenceFrameSchema,
    example: { type: 'presence', sub: 's1' },
  },
  history: {
    summary: 'Asks for a page of the board’s past',
    schema: historyFrameSchema,
    example: { type: 'history', req: 2, board: 'events', subjects: ['AxonChat.>'], before: cursor, limit: 50 },
  },
  typing: {
    summary: 'A keystroke, or the end of typing',
    schema: typingFrameSchema,
    example: { type: 'typing', board: 'events', subject: 'AxonChat.lobby', on: true },
  },
  ping: { summary: 'Answered at once by `pong`', schema: pingFrameSchema, example: { type: 'ping' } },
};

/** Frames of `boardwire.v1` that the server sends. */
export const serverMessages: Messages = {
  welcome: {
    summary: 'The first frame to whoever has authenticated',
    schema: server.welcomeFrameSchema,
    example: { type: 'welcome', protocol: 'boardwire.v1', connection: 'c1', user },
  },
  ack: {
    summary: 'A request was done; the fields after `req` are a publish’s',
    schema: server.ackFrameSchema,
    example: { type: 'ack', req: 1, id: 'e-42', seq: 42, cursor, time: storedEvent.time, outcome: 'created' },
  },
  fail: {
    summary: 'A request was refused, or a subscription has ended by a fault',
    schema: server.failFrameSchema,
    example: { type: 'fail', req: 1, code: 'forbidden', detail: 'may not publish on federation.x' },
  },
  event: {
    summary: 'One event for one subscription: the stored bytes',
    schema: server.eventFrameSchema,
    example: { type: 'event', sub: 's1', cursor, event: storedEvent },
  },
  resumed: {
    summary: 'A subscription opens where its cursor says',
    schema: server.resumedFrameSchema,
    example: { type: 'resumed', sub: 's1', cursor: earlier, ...resumed },
  },
  reset: {
    summary: 'A gap can’t be excluded: reload by history or state',
    schema: server.resetFrameSchema,
    example: { type: 'reset', sub: 's1', cursor, ...reset },
  },
  caught_up: {
    summary: 'The replay is over',
    schema: server.caughtUpFrameSchema,
    example: { type: 'caught_up', sub: 's1', cursor, head: cursor },
  },
  state: {
    summary: 'The state that was asked for with `snapshot`',
    schema: server.stateFrameSchema,
    example: { type: 'state', sub: 's1', cursor, answer: state },
  },
  waiting: {
    summary: 'Many catch up at the same time; the turn of this one comes. Told after a second of waiting',
    schema: server.waitingFrameSchema,
    example: { type: 'waiting', sub: 's1' },
  },
  skipped: {
    summary: 'So many events were left out for newer ones of their subjects',
    schema: server.skippedFrameSchema,
    example: { type: 'skipped', sub: 's1', count: 3 },
  },
  history: {
    summary: 'A page of history',
    schema: server.historyAnswerFrameSchema,
    example: { type: 'history', req: 2, answer: history },
  },
  typing: {
    summary: 'Someone types, or has stopped',
    schema: server.typingNoticeFrameSchema,
    example: { type: 'typing', board: 'events', subject: 'AxonChat.lobby', user, on: true },
  },
  presence: {
    summary: 'Who is here; then who comes and goes, once per user',
    schema: z.discriminatedUnion('event', [server.presenceListFrameSchema, server.presenceChangeFrameSchema]),
    example: { type: 'presence', sub: 's1', event: 'join', user, count: 2 },
  },
  heartbeat: {
    summary: 'The cursor of every subscription, every 15 s',
    schema: server.heartbeatFrameSchema,
    example: { type: 'heartbeat', cursors: { s1: cursor } },
  },
  stalled: {
    summary: 'The log can’t be reached, or the bus is lost',
    schema: server.stalledFrameSchema,
    example: { type: 'stalled', ...stalled },
  },
  live: { summary: 'A live source is back', schema: server.liveFrameSchema, example: { type: 'live' } },
  reconnect: {
    summary: 'The server is about to close: come back after the time given',
    schema: server.reconnectFrameSchema,
    example: { type: 'reconnect', ...reconnect },
  },
  revoked: { summary: 'The session has ended', schema: server.revokedFrameSchema, example: { type: 'revoked' } },
  pong: { summary: 'Answers `ping`', schema: server.pongFrameSchema, example: { type: 'pong' } },
};

const said = { id: '9b2f', time: storedEvent.time, board: 'events' };
const controlExamples: {
  readonly [N in ControlName]: [summary: string, data: Parameters<typeof controlEvent<N>>[1]['data'], cursor?: string];
} = {
  resumed: ['The connection opens where the cursor says', resumed, earlier],
  reset: ['A gap can’t be excluded: reload by history or state', reset, cursor],
  caught_up: ['The replay is over', { head: cursor }, cursor],
  skipped: ['So many events were left out for newer ones of their subjects', { count: 3 }],
  heartbeat: ['The cursor, every 15 s', {}, cursor],
  waiting: ['Many catch up at the same time; the turn of this one comes', {}],
  stalled: ['The log can’t be reached, or the bus is lost', stalled],
  live: ['A live source is back', {}],
  reconnect: ['The server is about to close: come back after the time given', reconnect],
  revoked: ['The session has ended', {}],
  refused: ['An event that was sent is not taken; the connection closes', { id: 'e-43', code: 'forbidden' }],
};

/** Messages of `cloudevents.json` that a client sends. */
export const publishedEventMessages: Messages = {
  event: {
    summary: 'One event to publish; nothing answers it but the event itself, to who reads its subject',
    schema: cloudEventSchema,
    example: requestSchemas.CloudEvent.example,
  },
};

/** Messages of `cloudevents.json` that the server sends: events of the board, and its own under the board’s source. */
export const eventMessages: Messages = {
  event: {
    summary: 'An event: the stored bytes with `cursor` in front; of class `ephemeral` without',
    schema: historyItemSchema.partial({ cursor: true }),
    example: answerSchemas.HistoryItem.example,
  },
  ...Object.fromEntries(
    (Object.keys(controlExamples) as ControlName[]).map((name) => {
      const [summary, data, at] = controlExamples[name];
      const text = controlEvent(name, { ...said, data: data as never, ...(at === undefined ? {} : { cursor: at }) });
      return [`boardwire.${name}`, { summary, schema: controlEventSchema(name), example: JSON.parse(text) as unknown }];
    }),
  ),
};

/** Blocks of an event stream by their `event:` name; `event` stands for the block without one. */
export const streamMessages: Readonly<Record<string, DocumentedMessage & { hasId: boolean }>> = {
  resumed: { summary: 'Opens the stream where the cursor says', schema: resumedSchema, example: resumed, hasId: true },
  reset: {
    summary: 'A gap can’t be excluded: reload by history or state',
    schema: resetSchema,
    example: reset,
    hasId: true,
  },
  event: {
    summary: 'An event: the stored bytes. With `named=1` its type is the block’s name',
    schema: historyItemSchema.omit({ cursor: true }),
    example: storedEvent,
    hasId: true,
  },
  caught_up: { summary: 'The replay is over', schema: caughtUpSchema, example: { head: cursor }, hasId: true },
  state: {
    summary: 'The state that was asked for with `snapshot`',
    schema: answerSchemas.State.schema,
    example: state,
    hasId: true,
  },
  skipped: {
    summary: 'So many events were left out for newer ones of their subjects',
    schema: skippedSchema,
    example: { count: 3 },
    hasId: false,
  },
  stalled: {
    summary: 'The log can’t be reached, or the bus is lost',
    schema: stalledSchema,
    example: stalled,
    hasId: false,
  },
  live: { summary: 'A live source is back', schema: nothing, example: {}, hasId: false },
  reconnect: {
    summary: 'The stream is about to end: come back after the time given',
    schema: reconnectSchema,
    example: reconnect,
    hasId: false,
  },
  revoked: { summary: 'The session has ended', schema: nothing, example: {}, hasId: false },
};
