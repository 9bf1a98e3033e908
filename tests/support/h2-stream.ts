import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { BlockReader, type Block } from './stream-recorder.ts';

/** An event stream over HTTP/2, in clear by prior knowledge. */
export class H2Stream {
  readonly blocks: Block[] = [];
  status = 0;
  headers: Record<string, unknown> = {};
  private readonly session: ClientHttp2Session;
  private readonly stream: ClientHttp2Stream;

  constructor(url: string, token: string) {
    const { origin, pathname, search } = new URL(url);
    const reader = new BlockReader();
    this.session = connect(origin);
    this.session.on('error', () => undefined);
    this.stream = this.session.request({
      ':path': pathname + search,
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
    });
    this.stream.setEncoding('utf8');
    this.stream.on('error', () => undefined);
    this.stream.on('response', (headers) => {
      this.headers = headers;
      this.status = headers[':status'] ?? 0;
    });
    this.stream.on('data', (text: string) => this.blocks.push(...reader.push(text)));
  }

  /** What the server has agreed to speak: `h2c`. */
  get protocol(): string | undefined {
    return this.session.alpnProtocol;
  }

  close(): void {
    this.session.destroy();
  }
}
