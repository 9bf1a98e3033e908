import { eventMediaTypes } from '../publish.ts';
import type { DocumentedRoute } from './documented-route.ts';
import { historyParameters, streamParameters, subjectParameter } from './parameters.ts';

const json = 'application/json';
const ofBoards = { tag: 'boards', access: 'token' } as const;
const ofEvents = { tag: 'events', access: 'token' } as const;

export const boardRoutes: readonly DocumentedRoute[] = [
  {
    ...ofBoards,
    method: 'get',
    path: '/v1/boards',
    id: 'listBoards',
    summary: 'The boards that I may read',
    answers: { 200: { summary: 'Boards', content: { [json]: 'BoardList' } } },
    refusals: [],
  },
  {
    ...ofBoards,
    method: 'post',
    path: '/v1/boards',
    id: 'createBoard',
    summary: 'Make a board',
    access: 'admin',
    body: { [json]: 'NewBoard' },
    answers: { 201: { summary: 'Made', content: { [json]: 'Board' } } },
    refusals: ['board_exists', 'conflict'],
  },
  {
    ...ofBoards,
    method: 'get',
    path: '/v1/boards/{board}',
    id: 'readBoard',
    summary: 'One board',
    answers: { 200: { summary: 'The board', content: { [json]: 'Board' } } },
    refusals: ['board_unknown', 'forbidden'],
  },
  {
    ...ofBoards,
    method: 'patch',
    path: '/v1/boards/{board}',
    id: 'changeBoard',
    summary: 'Change a board',
    description: 'Only what is given changes. New rules hold for events to come.',
    access: 'admin',
    body: { [json]: 'BoardChange' },
    answers: { 200: { summary: 'The board as it is now', content: { [json]: 'Board' } } },
    refusals: ['board_unknown'],
  },
  {
    ...ofBoards,
    method: 'delete',
    path: '/v1/boards/{board}',
    id: 'deleteBoard',
    summary: 'Delete a board with all its events',
    access: 'admin',
    answers: { 204: { summary: 'Deleted' } },
    refusals: ['board_unknown', 'conflict'],
  },
  {
    ...ofEvents,
    method: 'post',
    path: '/v1/boards/{board}/events',
    id: 'publish',
    summary: 'Publish an event, or a batch of them',
    description:
      'Plain JSON, or a CloudEvent in structured, batch or binary mode (`ce-` headers; the body is the data, of any type). `source` is ' +
      'the account’s own; `source` and `id` are the idempotency key: a repeat answers the first `seq`.',
    body: {
      [json]: 'PlainEvent',
      [eventMediaTypes.structured]: 'CloudEvent',
      [eventMediaTypes.batch]: 'CloudEventBatch',
      '*/*': 'bytes',
    },
    answers: {
      201: { summary: 'Stored; a batch answers a list of outcomes', content: { [json]: 'PublishAnswer' } },
      200: {
        summary: 'Stored before under this id; or a batch of which not all is new',
        content: { [json]: 'PublishAnswer' },
      },
      202: { summary: 'Of class `ephemeral`: delivered to who is here', content: { [json]: 'PublishAnswer' } },
    },
    refusals: [
      'board_unknown',
      'forbidden',
      'invalid_subject',
      'invalid_event',
      'invalid_source',
      'event_conflict',
      'rate_limited',
    ],
  },
  {
    ...ofEvents,
    method: 'get',
    path: '/v1/boards/{board}/events',
    id: 'readHistory',
    summary: 'The board’s past, in chronological order',
    description:
      'The newest page when neither `after` nor `before` is given. `Link` names the next and the previous page.',
    parameters: historyParameters,
    answers: {
      200: {
        summary: 'A page',
        content: { [json]: 'History', [eventMediaTypes.lines]: 'text', [eventMediaTypes.batch]: 'HistoryBatch' },
      },
    },
    refusals: ['board_unknown', 'forbidden', 'invalid', 'invalid_filter', 'invalid_cursor', 'not_acceptable'],
  },
  {
    ...ofEvents,
    method: 'delete',
    path: '/v1/boards/{board}/events/{cursor}',
    id: 'removeEvent',
    summary: 'Remove the content of an event',
    description: 'It is gone from every route; its place in the log, and the proof of what it was, stay.',
    access: 'admin',
    answers: { 204: { summary: 'Removed, now or before' } },
    refusals: ['board_unknown', 'not_found', 'invalid_cursor'],
  },
  {
    ...ofEvents,
    method: 'get',
    path: '/v1/boards/{board}/state',
    id: 'readState',
    summary: 'The newest event of each subject of class `state`',
    description: 'Where to start over after a `reset`; `head` is the cursor to go on from.',
    parameters: [subjectParameter],
    answers: { 200: { summary: 'The state', content: { [json]: 'History' } } },
    refusals: ['board_unknown', 'forbidden', 'invalid', 'invalid_filter'],
  },
  {
    tag: 'realtime',
    access: 'token',
    method: 'get',
    path: '/v1/boards/{board}/stream',
    id: 'openStream',
    summary: 'Server-Sent Events, with resume',
    description:
      'Its blocks are in `/v1/asyncapi.json`. What a return can mend is told in the stream as `event: reconnect`, never by ' +
      'a status: a browser’s EventSource ends for good at any status but 200.',
    parameters: streamParameters,
    answers: { 200: { summary: 'The stream', content: { 'text/event-stream': 'text' } } },
    refusals: ['board_unknown', 'forbidden', 'invalid', 'invalid_filter', 'invalid_cursor'],
  },
  {
    tag: 'realtime',
    access: 'token',
    method: 'get',
    path: '/v1/boards/{board}/presence',
    id: 'readPresence',
    summary: 'Who is here',
    description: 'One entry per user, not per tab.',
    parameters: [subjectParameter],
    answers: { 200: { summary: 'A count and a capped list', content: { [json]: 'Presence' } } },
    refusals: ['board_unknown', 'forbidden', 'invalid', 'invalid_filter'],
  },
];
