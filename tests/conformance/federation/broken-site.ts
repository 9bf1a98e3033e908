import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import type { HopSigner } from '../../../services/federation/src/hop/hop-signer.ts';

/** What goes wrong; whatever it leaves alone passes as it came. */
export interface Damage {
  /** The parsed answer to a request; it is signed anew with the site's own key. */
  answer?: (path: string, json: never, status: number) => unknown;
  headers?: (headers: Record<string, string>) => void;
  /** A line of a stream; undefined: it is lost. */
  line?: (frame: never) => unknown;
}

type Json = Record<string, unknown>;

/** Stands before a real site and breaks what it answers, under the site's own signature. */
export class BrokenSite {
  damage: Damage = {};
  readonly #signer: HopSigner;
  readonly #behind: URL;
  readonly #server = createServer((request, response) => {
    void this.#pass(request, response).catch(() => response.destroy());
  });

  constructor(behind: string, signer: HopSigner) {
    this.#behind = new URL(behind);
    this.#signer = signer;
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { hostname, port } = this.#behind;
    const { method, url: path, headers } = request;
    const outgoing = httpRequest({ hostname, port, method, path, headers });
    response.on('close', () => outgoing.destroy());
    const answered = new Promise<IncomingMessage>((resolve, reject) =>
      outgoing.on('response', resolve).on('error', reject),
    );
    request.pipe(outgoing);
    const incoming = await answered;
    if (String(incoming.headers['content-type']).includes('ndjson')) this.#passLines(incoming, response);
    else await this.#passAnswer(request, incoming, response);
  }

  #passLines(incoming: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': incoming.headers['content-type']! });
    createInterface({ input: incoming.on('error', () => undefined) })
      .on('error', () => undefined)
      .on('line', (line) => {
        const frame = this.damage.line === undefined ? undefined : this.damage.line(JSON.parse(line) as never);
        if (this.damage.line === undefined) response.write(`${line}\n`);
        else if (frame !== undefined) response.write(`${JSON.stringify(frame)}\n`);
      })
      .on('close', () => response.end());
  }

  async #passAnswer(request: IncomingMessage, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { statusCode: status = 0 } = incoming;
    const came = await buffer(incoming);
    const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
    const json =
      this.damage.answer && came.length > 0
        ? this.damage.answer(request.url!, JSON.parse(came.toString()) as never, status)
        : undefined;
    const body = json === undefined ? came : Buffer.from(JSON.stringify(json as Json));
    const wasSigned = headers['signature'] !== undefined && json !== undefined;
    if (wasSigned) {
      const requestSignature = String(request.headers['signature']).slice('bw='.length);
      Object.assign(
        headers,
        this.#signer.signAnswer({ status, body, contentType: 'application/json', requestSignature }),
      );
    }
    if (headers['content-length'] !== undefined) headers['content-length'] = String(body.length);
    delete headers['transfer-encoding'];
    this.damage.headers?.(headers);
    response.writeHead(status, headers).end(body);
  }
}
