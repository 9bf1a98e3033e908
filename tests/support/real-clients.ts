import { BoardwireClient, type BoardFollow, type SocketConstructor } from '@boardwire/client';
import { errorTable, type ErrorCode } from '@boardwire/contracts';
import { EventSource as EventSource3 } from 'eventsource3';
import { EventSource as EventSource4 } from 'eventsource4';
import { Agent, EventSource as UndiciEventSource, type Dispatcher } from 'undici';
import { WebSocket } from 'ws';
import type { ClientTarget, RealClient } from './real-client.ts';
import { curlClient } from './curl-client.ts';
import { EventSourceClient, type EventSourceLike } from './event-source-client.ts';
import { http10Client } from './http10-client.ts';
import { SocketClient } from './socket-client.ts';

export interface KindOfClient {
  name: string;
  /** Whether blocks of an id alone move the cursor it comes back with. */
  isRefreshedByHeartbeats: boolean;
  open(target: ClientTarget): RealClient;
}

/** Everybody who may stand at the other end, as they come, beside browsers. */
export const kindsOfClients: readonly KindOfClient[] = [
  { name: 'undici’s EventSource', isRefreshedByHeartbeats: true, open: openUndici },
  { name: 'npm eventsource 3', isRefreshedByHeartbeats: false, open: (target) => openFetching(EventSource3, target) },
  { name: 'npm eventsource 4', isRefreshedByHeartbeats: false, open: (target) => openFetching(EventSource4, target) },
  { name: 'curl', isRefreshedByHeartbeats: true, open: (target) => curlClient(target) },
  { name: 'a client of HTTP/1.0', isRefreshedByHeartbeats: true, open: (target) => http10Client(target) },
  { name: 'ws', isRefreshedByHeartbeats: true, open: (target) => new SocketClient(target) },
  { name: 'our SDK by event stream', isRefreshedByHeartbeats: true, open: (target) => openSdk('sse', target) },
  { name: 'our SDK by socket', isRefreshedByHeartbeats: true, open: (target) => openSdk('websocket', target) },
];

function openUndici(target: ClientTarget): RealClient {
  return new EventSourceClient((onRequest) => {
    class Authorized extends Agent {
      override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
        const headers = { ...headersOf(options.headers), authorization: `Bearer ${target.token}` };
        onRequest(headers);
        return super.dispatch({ ...options, headers }, handler);
      }
    }
    return new UndiciEventSource(target.url, { dispatcher: new Authorized() }) as unknown as EventSourceLike;
  });
}

/** Both take the fetch that they are to use; headers go in there. */
function openFetching(Source: typeof EventSource3 | typeof EventSource4, target: ClientTarget): RealClient {
  return new EventSourceClient((onRequest) => {
    const source = new Source(target.url, {
      fetch: (input, init) => {
        const headers = { ...init.headers, authorization: `Bearer ${target.token}` };
        onRequest(headersOf(headers));
        return fetch(input, { ...init, headers } as RequestInit);
      },
    });
    return source as unknown as EventSourceLike;
  });
}

function openSdk(transport: 'sse' | 'websocket', { url, token }: ClientTarget): RealClient {
  const { origin, pathname, searchParams } = new URL(url);
  const client = new BoardwireClient({
    baseUrl: origin,
    tokenProvider: () => Promise.resolve(token),
    webSocket: WebSocket as unknown as SocketConstructor,
    heartbeatMs: 1_000,
  });
  const seen: RealClient = { cursors: [], names: [], sentCursors: [], refusal: undefined, close: () => client.close() };
  const after = searchParams.get('after');
  let cursor: string | undefined;
  const follow: BoardFollow = client.follow(pathname.split('/')[3]!, {
    transport,
    subjects: searchParams.has('subject') ? searchParams.getAll('subject') : ['>'],
    ...(after === null ? {} : { after }),
    onEvent: (_event, place) => void seen.cursors.push(place.cursor!),
    onReset: () => void seen.names.push('reset'),
    onState: ({ phase, error }) => {
      // What it will ask with is what it holds when its connection has gone.
      if (phase === 'reconnecting') cursor = follow.cursor;
      if (phase === 'closed' && error !== undefined)
        seen.refusal = error.status ?? errorTable[error.code as ErrorCode]?.status;
      if (phase !== 'live') return;
      seen.names.push('resumed', 'caught_up');
      seen.sentCursors.push(cursor);
    },
  });
  return seen;
}

/** Header names in lower case, from the pairs or the object that a client gives. */
function headersOf(headers: unknown): Record<string, string> {
  const pairs = Array.isArray(headers)
    ? Array.from({ length: headers.length / 2 }, (_, at) => [headers[2 * at], headers[2 * at + 1]] as const)
    : Object.entries((headers ?? {}) as Record<string, string>);
  return Object.fromEntries(pairs.map(([name, value]) => [String(name).toLowerCase(), String(value)]));
}
