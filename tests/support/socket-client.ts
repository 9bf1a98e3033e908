import { closeAdvice, closeCodes, errorTable, webSocketProtocol, type ErrorCode } from '@boardwire/contracts';
import { WebSocket } from 'ws';
import type { ClientTarget, RealClient } from './real-client.ts';

const returnAfterMs = 200;

interface Frame {
  type: string;
  cursor?: string;
  cursors?: Record<string, string>;
  code?: string;
}

/** Plain `ws` and a few lines of its user's: the cursor of the last frame, and the close code that says what to do. */
export class SocketClient implements RealClient {
  readonly cursors: string[] = [];
  readonly names: string[] = [];
  readonly sentCursors: (string | undefined)[] = [];
  refusal: number | undefined;
  private isClosed = false;
  private cursor: string | undefined;
  private socket: WebSocket | undefined;

  constructor(private readonly target: ClientTarget) {
    this.connect();
  }

  close(): void {
    this.isClosed = true;
    this.socket?.terminate();
  }

  private connect(): void {
    const { origin, pathname, searchParams } = new URL(this.target.url);
    const after = this.cursor ?? searchParams.get('after') ?? undefined;
    this.sentCursors.push(this.cursor);
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/v1/ws`, [webSocketProtocol]);
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('open', () => {
      const [board, subjects] = [pathname.split('/')[3], searchParams.getAll('subject')];
      socket.send(JSON.stringify({ type: 'auth', token: this.target.token }));
      const subscribe = { type: 'subscribe', sub: 's', board, subjects: subjects.length > 0 ? subjects : ['>'] };
      socket.send(JSON.stringify({ ...subscribe, ...(after === undefined ? {} : { after }) }));
    });
    socket.on('message', (bytes: Buffer) => this.take(JSON.parse(bytes.toString()) as Frame));
    socket.on('close', (code) => this.ended(code));
  }

  private take(frame: Frame): void {
    const cursor = frame.cursor ?? frame.cursors?.['s'];
    if (cursor !== undefined) this.cursor = cursor;
    if (frame.type === 'event') this.cursors.push(frame.cursor!);
    else this.names.push(frame.type);
    if (frame.type === 'fail') this.refusal = errorTable[frame.code as ErrorCode].status;
  }

  private ended(code: number): void {
    if (this.isClosed) return;
    if (!closeAdvice(code).startsWith('return')) this.refusal = code === closeCodes.unauthenticated.code ? 401 : code;
    else setTimeout(() => this.isClosed || this.connect(), returnAfterMs);
  }
}
