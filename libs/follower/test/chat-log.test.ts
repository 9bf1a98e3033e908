import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chatLogOver } from '@boardwire/follower';
import { commonConfig, createContext, InternalClient, readConfig } from '@boardwire/service-kit';

describe('chatLogOver', () => {
  const asked: string[] = [];
  let answer: unknown;
  const server = createServer((request, response) => {
    asked.push(request.url!);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  let client: InternalClient;

  beforeEach(async () => {
    asked.length = 0;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const env = {
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      INTERNAL_SECRET: 'x'.repeat(32),
      NATS_URL: 'nats://127.0.0.1:1',
    };
    const context = createContext('test', readConfig(commonConfig, env));
    client = new InternalClient({ context, service: 'chat', baseUrl: `http://127.0.0.1:${port}` });
  });
  afterEach(async () => {
    await client.close();
    await new Promise((resolve) => server.close(resolve));
  });

  test('asks for everything first, then for what changed since a version', async () => {
    answer = { version: 'v 7', full: true, boards: [], removedBoards: [], revocations: [] };
    const chat = chatLogOver(client);
    const { version } = await chat.sync(undefined, new AbortController().signal);
    await chat.sync(version, new AbortController().signal);
    expect(asked).toEqual(['/internal/v1/sync?wait=500', '/internal/v1/sync?wait=500&since=v%207']);
  });

  test('asks for no more of a range than a page, and takes only an answer that fits its contract', async () => {
    answer = { board: 'events', epoch: 'aaaaaaaa', head: 9, items: [] };
    const options = { from: 11, to: 5_000, limit: 100, signal: new AbortController().signal };
    await chatLogOver(client).range('events', options);
    expect(asked).toEqual(['/internal/v1/boards/events/range?from=11&to=110']);
    answer = { board: 'events' };
    await expect(chatLogOver(client).range('events', options)).rejects.toThrow();
  });

  test('an aborted question ends at once', async () => {
    answer = { version: '1', full: true, boards: [], removedBoards: [], revocations: [] };
    const question = new AbortController();
    const answered = chatLogOver(client).sync(undefined, question.signal);
    question.abort();
    await expect(answered).rejects.toThrow();
  });
});
