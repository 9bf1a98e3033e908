import { webSocketProtocol } from '@boardwire/contracts';
import { request, type ClientRequest } from 'node:http';
import { WebSocket } from 'ws';

export interface FleetOptions {
  url: string;
  board: string;
  subject: string;
  /** Each client has one of them, in turn. */
  tokens: readonly string[];
  /** Half of them read event streams, half sockets. */
  size: number;
}

/** Many readers that do what their stream tells them, and remember only what went wrong. */
export class Fleet {
  readonly members: FleetMember[];
  /** When somebody began to come back after a break, each attempt: what the gateways that stay have to bear. */
  readonly returns: number[] = [];

  constructor({ url, board, subject, tokens, size }: FleetOptions) {
    const onReturn = () => void this.returns.push(performance.now());
    this.members = Array.from({ length: size }, (_, at) => {
      const token = tokens[at % tokens.length]!;
      const path = `/v1/boards/${board}/stream?subject=${encodeURIComponent(subject)}`;
      return at % 2 === 0
        ? new StreamMember({ address: `${url}${path}`, token, onReturn })
        : new SocketMember({ address: `${url.replace('http', 'ws')}/v1/ws`, token, board, subject, onReturn });
    });
  }

  /** A few at a time, as a crowd arrives. */
  async start(): Promise<void> {
    for (let at = 0; at < this.members.length; at += 50) {
      const group = this.members.slice(at, at + 50);
      for (const member of group) member.connect();
      // oxlint-disable-next-line no-await-in-loop
      await until(() => group.every(({ isLive }) => isLive), 30_000, 'everybody of a group live');
    }
  }

  allLive(timeoutMs = 30_000): Promise<void> {
    return until(() => this.members.every(({ isLive }) => isLive), timeoutMs, 'everybody live');
  }

  reached(seq: number, timeoutMs = 30_000): Promise<void> {
    return until(() => this.members.every(({ last }) => last >= seq), timeoutMs, `everybody at ${seq}`);
  }

  faults(): string[] {
    return this.members.flatMap(({ faults }) => faults);
  }

  /** The most returns within any second after `since`. */
  busiestSecond(since: number): number {
    const times = this.returns.filter((time) => time >= since).sort((a, b) => a - b);
    let from = 0;
    return times.reduce((most, time, at) => {
      while (times[from]! <= time - 1_000) from += 1;
      return Math.max(most, at - from + 1);
    }, 0);
  }

  close(): void {
    for (const member of this.members) member.close();
  }
}

const secondMs = 1_000;

abstract class FleetMember {
  isLive = false;
  /** The newest seq it has; every one before it came exactly once. */
  last = 0;
  readonly faults: string[] = [];
  protected cursor: string | undefined;
  protected isClosed = false;

  constructor(protected readonly onReturn: () => void) {}

  abstract connect(): void;
  abstract close(): void;

  protected opened(): void {
    this.isLive = true;
  }

  protected take(cursor: string): void {
    const seq = Number(cursor.slice(cursor.indexOf('-') + 1));
    if (seq !== this.last + 1) this.faults.push(`after ${this.last} came ${seq}`);
    this.last = seq;
    this.cursor = cursor;
  }

  protected comeBack(afterMs: number): void {
    this.isLive = false;
    setTimeout(() => {
      if (this.isClosed) return;
      this.onReturn();
      this.connect();
    }, afterMs);
  }
}

class StreamMember extends FleetMember {
  private request: ClientRequest | undefined;
  /** As the stream says it. */
  private retryMs = secondMs;

  constructor(private readonly options: { address: string; token: string; onReturn: () => void }) {
    super(options.onReturn);
  }

  connect(): void {
    const { address, token } = this.options;
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (this.cursor !== undefined) headers['last-event-id'] = this.cursor;
    const outgoing = request(address, { headers, agent: false });
    this.request = outgoing;
    outgoing.on('response', (response) => {
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        rest += text;
        for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
          this.read(rest.slice(0, end));
          rest = rest.slice(end + 2);
        }
      });
      response.on('error', () => undefined);
    });
    outgoing.on('error', () => undefined);
    outgoing.on('close', () => this.comeBack(this.retryMs));
    outgoing.end();
  }

  close(): void {
    this.isClosed = true;
    this.request?.destroy();
  }

  private read(block: string): void {
    const id = /^id: (.*)$/m.exec(block)?.[1];
    const event = /^event: (.*)$/m.exec(block)?.[1];
    const retry = /^retry: (\d+)$/m.exec(block)?.[1];
    if (retry !== undefined) this.retryMs = Number(retry);
    if (event === 'reset') this.faults.push(block);
    if (event === 'caught_up') this.opened();
    if (id === undefined) return;
    if (event === undefined && block.includes('\ndata: ')) this.take(id);
    else this.cursor = id;
  }
}

class SocketMember extends FleetMember {
  private socket: WebSocket | undefined;

  constructor(
    private readonly options: { address: string; token: string; board: string; subject: string; onReturn: () => void },
  ) {
    super(options.onReturn);
  }

  connect(): void {
    const { address, token, board, subject } = this.options;
    const socket = new WebSocket(address, [webSocketProtocol]);
    this.socket = socket;
    let afterMs: number | undefined;
    socket.on('error', () => undefined);
    socket.on('open', () => {
      socket.send(JSON.stringify({ type: 'auth', token }));
      const after = this.cursor === undefined ? {} : { after: this.cursor };
      socket.send(JSON.stringify({ type: 'subscribe', sub: 's', board, subjects: [subject], ...after }));
    });
    socket.on('message', (bytes: Buffer) => {
      const frame = JSON.parse(bytes.toString()) as { type: string; cursor?: string; afterMs?: number };
      if (frame.type === 'event') this.take(frame.cursor!);
      else if (frame.cursor !== undefined) this.cursor = frame.cursor;
      if (frame.type === 'reset' || frame.type === 'fail') this.faults.push(bytes.toString());
      if (frame.type === 'caught_up') this.opened();
      if (frame.type === 'reconnect') afterMs = frame.afterMs;
    });
    // Where nobody says when, each waits a time of its own.
    socket.on('close', () => this.comeBack(afterMs ?? (0.5 + Math.random()) * secondMs));
  }

  close(): void {
    this.isClosed = true;
    this.socket?.terminate();
  }
}

async function until(condition: () => boolean, timeoutMs: number, what: string): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
