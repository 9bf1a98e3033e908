import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { decisionBatchSchema, type Decision } from '@boardwire/contracts';

/** Takes decisions as audit does, and remembers them. */
export class AuditStandIn {
  readonly #byNumber = new Map<string, Decision>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      // Nothing is signed here that a witness could be asked for.
      if (request.method === 'GET') return void response.writeHead(404).end();
      void json(request).then((body) => {
        const { service, decisions } = decisionBatchSchema.parse(body);
        // One whose answer was late comes again.
        for (const decision of decisions) this.#byNumber.set(`${service} ${decision.number}`, decision);
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ received: decisions.at(-1)!.number }));
      });
    });
  }

  static async start(): Promise<AuditStandIn> {
    const audit = new AuditStandIn();
    await new Promise<void>((resolve) => audit.#server.listen(0, '127.0.0.1', resolve));
    return audit;
  }

  get decisions(): Decision[] {
    return [...this.#byNumber.values()];
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
