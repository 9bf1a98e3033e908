import { z } from 'zod';
import type { DocumentedRoute } from './documented-route.ts';
import { streamParameters } from './parameters.ts';

const json = 'application/json';
const base = { method: 'get', tag: 'site', access: 'public' } as const;

/** The WebSocket, the site's own documents, and the wire of an older system. */
export const siteRoutes: readonly DocumentedRoute[] = [
  {
    method: 'get',
    path: '/v1/ws',
    id: 'openWebSocket',
    tag: 'realtime',
    summary: 'WebSocket, subprotocol `boardwire.v1` or `cloudevents.json`',
    description:
      'Its frames are in `/v1/asyncapi.json`. Programs may send their token with the request, browsers as the first frame. ' +
      'With `cloudevents.json` each message is one event, and the query says which: `board`, and what `GET …/stream` takes.',
    parameters: [
      {
        name: 'board',
        in: 'query',
        summary: 'The board, with `cloudevents.json` only.',
        schema: z.string(),
        example: 'events',
      },
      ...streamParameters.filter((parameter) => parameter.in === 'query' && parameter.name !== 'named'),
    ],
    access: 'public',
    answers: { 101: { summary: 'The connection speaks WebSocket now' } },
    refusals: ['upgrade_required', 'token_invalid', 'token_expired', 'token_revoked', 'forbidden'],
  },
  {
    ...base,
    path: '/.well-known/boardwire',
    id: 'siteDocument',
    summary: 'The signed site document',
    answers: { 200: { summary: 'Signed as DSSE', content: { [json]: 'SiteDocument' } } },
    refusals: [],
  },
  {
    ...base,
    path: '/v1/openapi.json',
    id: 'openApiDocument',
    summary: 'This document (OpenAPI 3.1)',
    answers: { 200: { summary: 'The document', content: { [json]: 'Document' } }, 304: { summary: 'Unchanged' } },
    refusals: [],
  },
  {
    ...base,
    path: '/v1/asyncapi.json',
    id: 'asyncApiDocument',
    summary: 'Stream blocks and WebSocket frames (AsyncAPI 3)',
    answers: { 200: { summary: 'The document', content: { [json]: 'Document' } }, 304: { summary: 'Unchanged' } },
    refusals: [],
  },
  {
    ...base,
    path: '/docs',
    id: 'docsPage',
    summary: 'Both documents as a page to read',
    answers: { 200: { summary: 'A page', content: { 'text/html': 'text' } }, 304: { summary: 'Unchanged' } },
    refusals: [],
  },
  {
    method: 'get',
    path: '/api/chat/events/',
    id: 'axonchatEvents',
    tag: 'axonchat',
    summary: 'The last messages of the lobby, then the whole list again with each new one',
    access: 'token',
    parameters: [
      {
        name: 'token',
        in: 'query',
        summary: 'An access token: these clients can’t set headers.',
        schema: z.string(),
        isRequired: true,
        example: 'eyJ…',
      },
      { name: 'tz', in: 'query', summary: 'Time zone of display times.', schema: z.string(), example: 'Europe/Rome' },
    ],
    answers: { 200: { summary: 'An event stream', content: { 'text/event-stream': 'text' } } },
    refusals: ['forbidden', 'rate_limited'],
  },
  {
    method: 'post',
    path: '/api/chat/post/',
    id: 'axonchatPost',
    tag: 'axonchat',
    summary: 'Post a message in the lobby',
    access: 'token',
    body: { [json]: 'AxonchatMessage' },
    answers: { 201: { summary: 'Posted', content: { [json]: 'AxonchatPosted' } } },
    refusals: ['forbidden', 'rate_limited'],
  },
];
