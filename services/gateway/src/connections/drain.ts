import type { ConnectionDesk } from './desk.ts';

/** Clients that were sent away come back elsewhere within this, each at its own moment. */
const returnWithinMs = 1_000;
/** Of the drain time; the rest is for the last bytes. */
const share = 0.9;

/** Sends everybody away, spread over the drain time, and waits until they are gone. */
export async function drainConnections(desk: ConnectionDesk, drainMs: number): Promise<void> {
  const { connections } = desk;
  desk.close();
  const deadline = performance.now() + drainMs;
  const leaving = [...connections.all()];
  // One after the other, evenly: chance alone would send many in the same second to the gateways that stay.
  const timers = leaving.map((connection, at) =>
    setTimeout(() => connection.end('drain', returnAfter()), ((at + Math.random()) / leaving.length) * drainMs * share),
  );
  while (connections.size > 0 && performance.now() < deadline) {
    // oxlint-disable-next-line no-await-in-loop -- until they are gone
    await sleep(20);
  }
  for (const timer of timers) clearTimeout(timer);
  for (const connection of connections.all()) {
    connection.end('drain', returnAfter());
  }
}

function returnAfter(): number {
  return Math.round(100 + Math.random() * returnWithinMs);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
