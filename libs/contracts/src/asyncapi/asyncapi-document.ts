import { closeCodes } from '../close-codes.ts';
import { cloudEventsProtocol } from '../control-event.ts';
import { webSocketProtocol } from '../frames.ts';
import { jsonSchemas } from '../openapi/json-schemas.ts';
import { interfaceVersion } from '../openapi/openapi-document.ts';
import {
  clientMessages,
  eventMessages,
  publishedEventMessages,
  serverMessages,
  streamMessages,
  type DocumentedMessage,
} from './messages.ts';

interface Direction {
  /** Seen from the server. */
  action: 'send' | 'receive';
  summary: string;
  messages: Readonly<Record<string, DocumentedMessage & { hasId?: boolean }>>;
}
interface Channel {
  address: string;
  summary: string;
  description: string;
  /** By the name of their operation; component names get the prefix. */
  directions: Readonly<Record<string, Direction & { prefix: string }>>;
}

const closings = Object.values(closeCodes)
  .map(({ code, meaning, advice }) => `${code} ${meaning} (${advice.replaceAll('_', ' ')})`)
  .join('; ');

/** Every live wire: who sends what. */
const channels: Readonly<Record<string, Channel>> = {
  stream: {
    address: '/v1/boards/{board}/stream',
    summary: 'Server-Sent Events',
    description: 'One opening block, replay, `caught_up`, live. Every 15 s a block of `id:` alone moves the cursor on.',
    directions: {
      readStream: { action: 'send', summary: 'Blocks of the stream', messages: streamMessages, prefix: 'Stream' },
    },
  },
  webSocket: {
    address: '/v1/ws',
    summary: `WebSocket, subprotocol ${webSocketProtocol}: one JSON object a frame, many subscriptions`,
    description: `What a client does after a close is decided by its code: ${closings}.`,
    directions: {
      sendFrame: { action: 'receive', summary: 'Frames of the client', messages: clientMessages, prefix: 'Client' },
      readFrame: { action: 'send', summary: 'Frames of the server', messages: serverMessages, prefix: 'Server' },
    },
  },
  cloudEvents: {
    address: '/v1/ws?board={board}',
    summary: `WebSocket, subprotocol ${cloudEventsProtocol}: each message is one CloudEvent`,
    description:
      'The query takes what `GET …/stream` takes, and `board`. A refusal before the upgrade is a status; behind it ' +
      '`boardwire.refused` tells why, and the close code what to do.',
    directions: {
      sendEvent: {
        action: 'receive',
        summary: 'Events of the client',
        messages: publishedEventMessages,
        prefix: 'Publish',
      },
      readEvent: { action: 'send', summary: 'Events of the server', messages: eventMessages, prefix: 'Event' },
    },
  },
};

/** The live wires as an AsyncAPI 3 document, made from the schemas that frames and blocks are checked by. */
export function asyncApiDocument(): Record<string, unknown> {
  const all = Object.entries(channels);
  const directions = all.flatMap(([, channel]) => Object.values(channel.directions));
  return {
    asyncapi: '3.0.0',
    info: { title: 'Boardwire, live', version: interfaceVersion, license: { name: 'Apache-2.0' } },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(all.map(([name, channel]) => [name, channelOf(channel)])),
    operations: Object.fromEntries(all.flatMap(([name, channel]) => operationsOf(name, channel))),
    components: {
      messages: Object.assign({}, ...directions.map(messagesOf)),
      schemas: Object.assign({}, ...directions.map(schemasOf)),
    },
  };
}

type Part = Direction & { prefix: string };
const componentName = (prefix: string, name: string) => `${prefix}.${name}`;

function channelOf({ address, summary, description, directions }: Channel): Record<string, unknown> {
  const messages = Object.values(directions).flatMap(({ prefix, messages: named }) =>
    Object.keys(named).map((name) => {
      const key = componentName(prefix, name);
      return [key, { $ref: `#/components/messages/${key}` }];
    }),
  );
  const hasBoard = address.includes('{board}');
  return {
    address,
    summary,
    description,
    ...(hasBoard ? { parameters: { board: { description: 'The board’s slug.' } } } : {}),
    messages: Object.fromEntries(messages),
  };
}

function operationsOf(channel: string, { directions }: Channel): [string, unknown][] {
  return Object.entries(directions).map(([name, { action, summary, messages, prefix }]) => [
    name,
    {
      action,
      channel: { $ref: `#/channels/${channel}` },
      summary,
      messages: Object.keys(messages).map((message) => ({
        $ref: `#/channels/${channel}/messages/${componentName(prefix, message)}`,
      })),
    },
  ]);
}

function messagesOf({ messages, prefix }: Part): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(messages).map(([name, { summary, example, hasId }]) => {
      const key = componentName(prefix, name);
      const payload = { $ref: `#/components/schemas/${key}` };
      const headers = hasId === undefined ? {} : { headers: blockFields(name, hasId) };
      return [key, { name, summary, ...headers, payload, examples: [{ payload: example }] }];
    }),
  );
}

/** The lines of a block beside `data:`. */
function blockFields(name: string, hasId: boolean): Record<string, unknown> {
  const event = name === 'event' ? { type: 'string', description: 'Only with `named=1`.' } : { const: name };
  const id = { type: 'string', description: 'The cursor. An event of class `ephemeral` has none.' };
  return { type: 'object', properties: { event, ...(hasId ? { id } : {}) } };
}

function schemasOf({ action, messages, prefix }: Part): Record<string, unknown> {
  const named = Object.entries(messages).map(
    ([name, { schema }]) => [componentName(prefix, name), { schema }] as const,
  );
  const io = action === 'send' ? 'output' : 'input';
  return jsonSchemas(Object.fromEntries(named), { io, prefix: '#/components/schemas/', target: 'draft-7' });
}
