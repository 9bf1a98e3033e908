import { webSocketProtocol } from '@boardwire/contracts';
import { payloadBytes, payloadText } from '../load/event-payload.ts';
import type { Target } from '../load/load-generator.ts';
import { pace } from '../load/pace.ts';
import type { GatewayRig } from '../rig/gateway-rig.ts';
import type { Contender, FeedPlan } from './contender.ts';
import { clientFrame, upgradeRequest } from './peers.ts';

export type GatewayTransport = 'sse' | 'ws';

export interface GatewayContenderOptions {
  rig: GatewayRig;
  board: string;
  transport: GatewayTransport;
  tokens: readonly string[];
  name?: string;
  eventBytes?: number;
  /** Number of the first event; default 1. */
  next?: number;
}

const subject = 'bench.events';

/** The gateway fed through JetStream, as in a site; one board for each transport. */
export class GatewayContender implements Contender {
  readonly name: string;
  readonly #options: GatewayContenderOptions;
  #next: number;

  constructor(options: GatewayContenderOptions) {
    this.#options = options;
    this.#next = options.next ?? 1;
    this.name = options.name ?? `Boardwire ${options.transport === 'sse' ? 'SSE' : 'WebSocket'}`;
  }

  get pid(): number {
    return this.#options.rig.pid;
  }

  get next(): number {
    return this.#next;
  }

  get target(): Target {
    return this.targetOf();
  }

  /** Streams that start behind a cursor, or live. */
  targetOf(options: { after?: string; filter?: string } = {}): Target {
    const { rig, board, transport, tokens } = this.#options;
    const place = { port: rig.port, board, tokens, ...options };
    return transport === 'sse' ? sseTarget(place) : webSocketTarget(place);
  }

  async feed(plan: FeedPlan): Promise<number> {
    const { rig, board, eventBytes = payloadBytes } = this.#options;
    const sent = await pace(plan, async (count) => {
      for (let index = 0; index < count; index += 1) {
        const room = rig.chat.publish(board, subject, payloadText(this.#next++, eventBytes));
        // oxlint-disable-next-line no-await-in-loop -- the window is full
        if (room !== undefined) await room;
      }
    });
    await rig.chat.mirrored();
    return sent;
  }

  /** The rig outlives its contenders. */
  stop(): Promise<void> {
    return Promise.resolve();
  }
}

interface Place {
  port: number;
  board: string;
  tokens: readonly string[];
  after?: string;
  filter?: string;
}

function sseTarget({ port, board, tokens, after, filter = '>' }: Place): Target {
  const query = new URLSearchParams({ subject: filter, ...(after === undefined ? {} : { after }) });
  const requests = tokens.map(
    (token) =>
      `GET /v1/boards/${board}/stream?${query.toString()} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n` +
      `accept: text/event-stream\r\nauthorization: Bearer ${token}\r\n\r\n`,
  );
  return { port, requests, ready: 'event: caught_up', isWebSocket: false };
}

function webSocketTarget({ port, board, tokens, after, filter = '>' }: Place): Target {
  const subscribe = {
    type: 'subscribe',
    sub: '1',
    board,
    subjects: [filter],
    ...(after === undefined ? {} : { after }),
  };
  const headers = (token: string) =>
    `sec-websocket-protocol: ${webSocketProtocol}\r\nauthorization: Bearer ${token}\r\n`;
  return {
    port,
    requests: tokens.map((token) => upgradeRequest({ port, path: '/v1/ws', headers: headers(token) })),
    greeting: clientFrame(JSON.stringify(subscribe)),
    ready: '"caught_up"',
    isWebSocket: true,
  };
}
