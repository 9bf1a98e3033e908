import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { payloadObject } from '../load/event-payload.ts';
import { obeyFeed } from './obey-feed.ts';

// Socket.IO 4 as its documentation starts it; WebSocket only, since the clients begin with it.
const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });

http.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  obeyFeed((http.address() as AddressInfo).port, (number) => io.emit('event', payloadObject(number)));
});
