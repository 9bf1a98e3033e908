import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@boardwire/test-kit';
import type { HostedService } from '../src/hosted-service.ts';
import { ReadyGateways } from '../src/proxy/ready-gateways.ts';

const servers: Server[] = [];
let gateways: ReadyGateways | undefined;

afterEach(() => {
  gateways?.stop();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A gateway's internal port that answers `/readyz` as told; 0 takes the question and never answers. */
async function gateway(name: string, state: { status: number }): Promise<HostedService> {
  const server = createServer((_request, response) => {
    if (state.status !== 0) response.writeHead(state.status).end();
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const internalUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const done = () => Promise.resolve();
  const control = { start: done, stop: done, kill: done };
  return { name, kind: 'gateway', internalUrl, publicUrl: `http://127.0.0.1:1${name.length}`, pid: 1, ...control };
}

const names = () => gateways!.inTurn().map(({ name }) => name);

describe('which gateways take new connections', () => {
  it('is each in its turn, and only those whose readyz says so', async () => {
    const state = { status: 200 };
    gateways = new ReadyGateways([await gateway('a', { status: 200 }), await gateway('bb', state)]);
    gateways.start();
    expect([names(), names(), names()]).toEqual([
      ['a', 'bb'],
      ['bb', 'a'],
      ['a', 'bb'],
    ]);
    state.status = 503;
    await eventually(() => expect([names(), names()]).toEqual([['a'], ['a']]));
    state.status = 200;
    await eventually(() => expect(names()).toHaveLength(2));
  });

  it('leaves out one that refused, or answers nothing', async () => {
    const state = { status: 200 };
    gateways = new ReadyGateways([await gateway('a', { status: 200 }), await gateway('bb', state)]);
    const refusing = gateways.inTurn()[1]!;
    gateways.refused(refusing);
    expect(names()).toEqual(['a']);
    gateways.start();
    await eventually(() => expect(names()).toHaveLength(2));
    state.status = 0;
    await eventually(() => expect(names()).toEqual(['a']));
  });

  it('is all of them when none is ready: one that answers says what is wrong', async () => {
    gateways = new ReadyGateways([await gateway('a', { status: 503 }), await gateway('bb', { status: 503 })]);
    for (const address of gateways.inTurn()) gateways.refused(address);
    expect(names()).toHaveLength(2);
  });
});
