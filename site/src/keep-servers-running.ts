import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsServer, PostgresServer } from '@boardwire/embedded';

const lookEveryMs = 200;
const backoffMaxMs = 5_000;

/**
 * Starts a server of the site's own again when it has ended unasked. The services live through the break: posts wait in
 * the log while NATS is away and answer 503 while Postgres is.
 */
export function keepServersRunning(
  servers: readonly (PostgresServer | NatsServer)[],
  onEvent: (text: string) => void,
): { stop(): void } {
  const end = new AbortController();
  for (const server of servers) if (server.kind === 'embedded') void keep(server, onEvent, end.signal);
  return { stop: () => end.abort() };
}

async function keep(
  server: PostgresServer | NatsServer,
  onEvent: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; ;) {
    await sleep(Math.min(backoffMaxMs, lookEveryMs * 2 ** failures), undefined, { signal, ref: false }).catch(
      () => undefined,
    );
    if (signal.aborted) return;
    if (server.pid !== undefined) continue;
    onEvent(`${server.description} ended unasked, starting it again`);
    try {
      await server.start();
      failures = 0;
      if (!signal.aborted) onEvent(`${server.description} is back (pid ${server.pid})`);
    } catch (error) {
      failures += 1;
      if (!signal.aborted) onEvent((error as Error).message);
    }
  }
}
