import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { payloadObject } from '../load/event-payload.ts';
import { obeyFeed } from './obey-feed.ts';

// How resuming is commonly written: whoever comes back gets what was missed, formatted for each client, a write for
// each event. `GET /?after=N`; nothing is live.
const events: { id: number; data: Record<string, unknown> }[] = [];

const http = createServer((request, response) => {
  const after = Number(new URL(request.url ?? '/', 'http://localhost').searchParams.get('after'));
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  for (const { id, data } of events.slice(after)) {
    response.write(`id: benchlog-${id}\ndata: ${JSON.stringify(data)}\n\n`);
  }
  response.write('event: caught_up\ndata: {}\n\n');
});

http.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  obeyFeed((http.address() as AddressInfo).port, (id) => events.push({ id, data: payloadObject(id) }));
});
