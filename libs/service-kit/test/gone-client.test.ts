import { once } from 'node:events';
import net from 'node:net';
import { PassThrough } from 'node:stream';
import { eventually } from '@boardwire/test-kit';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { Controller, Get, Module, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemFilter } from '../src/problem-filter.ts';
import { commonConfig, createContext, readConfig, startInternalServer, type InternalServer } from '../src/index.ts';

/** Answers that are under way and have no byte yet. */
const underWay: PassThrough[] = [];

@Controller()
class SlowController {
  @Get('/slow')
  async slow(@Res() reply: FastifyReply) {
    const body = new PassThrough();
    underWay.push(body);
    await reply.send(body);
  }
}

@Module({ controllers: [SlowController] })
class SlowModule {}

const config = readConfig(commonConfig, { INTERNAL_SECRET: 's'.repeat(32), LOG_LEVEL: 'silent', NODE_ENV: 'test' });
const context = createContext('chat', config);
const logged = jest.spyOn(context.logger, 'error');
let server: InternalServer;

beforeAll(async () => {
  server = await startInternalServer(context, SlowModule, { host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  await server.close();
  await context.supervisor.stop();
});

beforeEach(() => {
  logged.mockClear();
});

async function ask(): Promise<{ client: net.Socket; body: PassThrough }> {
  const known = underWay.length;
  const client = net.connect(Number(new URL(server.url).port), '127.0.0.1');
  await once(client, 'connect');
  client.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n');
  await eventually(() => expect(underWay.length).toBe(known + 1));
  return { client, body: underWay.at(-1)! };
}

test('an answer that ends because its reader has left is nobody’s fault', async () => {
  const { client, body } = await ask();
  client.destroy();
  await eventually(() => expect(body.destroyed).toBe(true));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(logged).not.toHaveBeenCalled();
});

test.each(['AbortError', 'ERR_STREAM_PREMATURE_CLOSE'])(
  'what is fetched for a reader who has left ends as %s',
  (name) => {
    const error = Object.assign(new Error('ended'), name === 'AbortError' ? { name } : { code: name });
    const requestOf = (destroyed: boolean) =>
      ({ method: 'GET', raw: { socket: { destroyed } } }) as unknown as FastifyRequest;
    const filter = new ProblemFilter(context.logger);
    expect(filter.translate(error, requestOf(true)).code).toBe('request_timeout');
    expect(logged).not.toHaveBeenCalled();
    expect(filter.translate(error, requestOf(false)).code).toBe('internal');
    expect(logged).toHaveBeenCalledTimes(1);
  },
);

test('one that ends too early while its reader waits is a fault', async () => {
  const { client, body } = await ask();
  body.destroy();
  await eventually(() =>
    expect(logged).toHaveBeenCalledWith(expect.objectContaining({ event: 'request.failed', route: '/slow' })),
  );
  client.destroy();
});
