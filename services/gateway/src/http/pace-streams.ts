import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Pace } from '../connections/pace.ts';

const streamPattern = /^\/v1\/boards\/[^/?]+\/stream(?:\?|$)/;

/**
 * Lets requests for streams in by portions, before anything else is done for them: when thousands come back at once,
 * a thousand are readable in the same turn, and what the framework does and keeps for each would hold everybody else up.
 */
export function paceStreams(server: Server, pace: Pace): void {
  const handlers = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    // Who has left meanwhile needs no answer.
    if (!request.socket.destroyed) for (const handler of handlers) handler.call(server, request, response);
  };
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const turn = streamPattern.test(request.url ?? '') ? pace.next() : undefined;
    if (turn === undefined) handle(request, response);
    else void turn.then(() => handle(request, response));
  });
}
