import { WebSocket, type ClientOptions } from 'ws';
import { Inbox, type WaitOptions } from './inbox.ts';

export interface WsOptions extends WaitOptions {
  headers?: Record<string, string>;
  protocols?: string[];
}

/** The handshake was refused. */
export class WsRefused extends Error {
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super(`WebSocket refused with ${status}: ${body}`);
  }
}

/** Reads a WebSocket frame by frame, each parsed as JSON. */
export class WsReader<Frame = Record<string, unknown>> {
  /** Everything received. */
  readonly frames: Frame[] = [];
  /** How the server closed it, once it did. */
  closed: { code: number; reason: string } | undefined;
  private readonly inbox = new Inbox<Frame>();

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => {
      const frame = JSON.parse((data as Buffer).toString('utf8')) as Frame;
      this.frames.push(frame);
      this.inbox.put(frame);
    });
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString('utf8') };
      this.inbox.end(`the WebSocket was closed: ${code} ${this.closed.reason}`);
    });
  }

  /** Connects; rejects with `WsRefused` when the server answers with a plain HTTP status. */
  static open<Frame = Record<string, unknown>>(url: string, options: WsOptions = {}): Promise<WsReader<Frame>> {
    const { headers, protocols = [], timeoutMs = 5_000 } = options;
    const clientOptions: ClientOptions = { handshakeTimeout: timeoutMs, ...(headers === undefined ? {} : { headers }) };
    const socket = new WebSocket(url, protocols, clientOptions);
    // Made before the handshake ends: the first frame may arrive together with its answer.
    const reader = new WsReader<Frame>(socket);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(reader));
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
        response.on('end', () => reject(new WsRefused(response.statusCode ?? 0, body)));
      });
    });
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  next(options?: WaitOptions): Promise<Frame> {
    return this.inbox.next(options);
  }

  until(condition: (frame: Frame) => boolean, options?: WaitOptions): Promise<Frame> {
    return this.inbox.until(condition, options);
  }

  /** Resolves with the close code when the server has closed it. */
  async ended(options?: WaitOptions): Promise<{ code: number; reason: string }> {
    await this.inbox.ended(options);
    return this.closed ?? { code: 1006, reason: '' };
  }

  close(): void {
    this.socket.close();
  }

  /** Gone without a goodbye, as a phone in a tunnel. */
  terminate(): void {
    this.socket.terminate();
  }
}
