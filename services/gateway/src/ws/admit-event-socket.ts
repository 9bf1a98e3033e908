import { cloudEventsProtocol, webSocketProtocol, type Overflow } from '@boardwire/contracts';
import { AppError } from '@boardwire/service-kit';
import type { IncomingMessage } from 'node:http';
import { overflowOf } from '../delivery/overflow.ts';
import type { StreamStart } from '../delivery/stream-start.ts';
import type { Readable } from '../delivery/subscriptions.ts';
import type { Gateway } from '../gateway.ts';
import { knownSlug } from '../http/boards.controller.ts';
import { assertMayStay } from '../http/door.ts';
import { parseStreamQuery } from '../http/query.ts';
import type { Access } from '../rights/access.ts';

/** What a socket of `cloudevents.json` was opened for. */
export interface EventSocketAdmission {
  access: Access;
  readable: Readable;
  start: StreamStart;
  overflow: Overflow;
}

/** The subprotocol that an upgrade gets of those it offers; undefined for none of ours. */
export function protocolOf({ headers }: IncomingMessage): string | undefined {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  return [webSocketProtocol, cloudEventsProtocol].find((protocol) => offered.includes(protocol));
}

/**
 * Such a client has no frame to say who it is and what it wants: the request says all of it, with the parameters of
 * `GET …/stream` and `board`. @throws AppError, before the upgrade, as a status.
 */
export async function admitEventSocket(
  gateway: Gateway,
  access: Access | undefined,
  query: string,
): Promise<EventSocketAdmission> {
  if (access === undefined) throw new AppError('token_missing');
  const { board: slug, ticket: _ticket, ...rest } = queryOf(query);
  if (typeof slug !== 'string') throw new AppError('invalid', { errors: [{ path: 'board', message: 'one board' }] });
  const { subjects, types, start, overflow, hasSnapshot } = parseStreamQuery(rest, undefined);
  if (hasSnapshot) throw new AppError('invalid', { detail: 'each message is one event: read the state by GET' });
  const board = knownSlug(slug);
  await gateway.boards.find(board);
  const readable = gateway.subscriptions.resolve({ access, board, subjects, types });
  assertMayStay(gateway, access);
  return { access, readable, start, overflow: overflowOf(readable, overflow) };
}

/** As Fastify reads one: what comes several times is a list. */
function queryOf(text: string): Record<string, string | string[]> {
  const searchParams = new URLSearchParams(text);
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(searchParams.keys())) {
    const values = searchParams.getAll(name);
    query[name] = values.length === 1 ? values[0]! : values;
  }
  return query;
}
