import 'reflect-metadata';
import { Controller, Module, Sse, type MessageEvent } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Subject, type Observable } from 'rxjs';
import { payloadObject } from '../load/event-payload.ts';
import { obeyFeed } from './obey-feed.ts';

const events = new Subject<MessageEvent>();

/** Server-sent events as the framework's documentation shows them. */
@Controller()
class StreamController {
  @Sse('stream')
  stream(): Observable<MessageEvent> {
    return events;
  }
}

@Module({ controllers: [StreamController] })
class PeerModule {}

const app = await NestFactory.create<NestFastifyApplication>(PeerModule, new FastifyAdapter(), { logger: false });
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
const { port } = app.getHttpServer().address() as { port: number };
obeyFeed(port, (number) => events.next({ id: String(number), data: payloadObject(number) }));
