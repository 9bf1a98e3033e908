import { writeFileSync, renameSync } from 'node:fs';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// Loaded into services by tests that measure what they keep: SIGUSR2 collects garbage. A gateway writes down what is
// left of connections then, into the file that OBJECTS_FILE names.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const dist = new URL('../../services/gateway/dist/', import.meta.url);
const parts = {
  Outbox: 'delivery/outbox.js',
  Subscription: 'delivery/subscription.js',
  SseConnection: 'http/sse-connection.js',
  EventSocket: 'ws/event-socket.js',
  SocketConnection: 'ws/socket-connection.js',
};
const kinds = process.argv[1]?.startsWith(fileURLToPath(dist)) ? await kindsOfGateway() : undefined;

process.on('SIGUSR2', () => {
  collect();
  collect();
  if (kinds !== undefined) void writeCounts(process.env.OBJECTS_FILE);
});

/** Each count stops the process for a moment: between two of them it lives on, and hears from the others. */
async function writeCounts(file) {
  const counts = { heap: process.memoryUsage().heapUsed };
  for (const [name, kind] of Object.entries(kinds)) {
    counts[name] = queryObjects(kind, { format: 'count' });
    await sleep(100);
  }
  writeFileSync(`${file}.new`, JSON.stringify(counts));
  renameSync(`${file}.new`, file);
}

async function kindsOfGateway() {
  const own = Object.entries(parts).map(async ([name, path]) => [name, (await import(new URL(path, dist)))[name]]);
  return { ...Object.fromEntries(await Promise.all(own)), Socket, IncomingMessage };
}
