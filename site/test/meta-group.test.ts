import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { metaGroupOf } from '../../tests/support/operator.ts';

// A real cluster forms its group of two in about one start of fifty; here its monitoring says so each time.
// tests/operations/nats.test.ts asks a real one.
const names = ['nats-0', 'nats-1', 'nats-2'];
const routesOf = (name: string) => names.filter((other) => other !== name).map((remote_name) => ({ remote_name }));
const member = (name: string, offline = false) => ({ name, current: !offline, offline, active: 1_000, peer: name });

let servers: Server[] = [];
afterEach(() => {
  for (const server of servers) server.close();
  servers = [];
});

async function monitoring(name: string, meta: object): Promise<string> {
  const answers: Record<string, unknown> = {
    '/varz': { server_name: name },
    '/routez': { routes: routesOf(name) },
    '/jsz': { meta_cluster: meta },
  };
  const server = createServer((request, response) => response.end(JSON.stringify(answers[request.url!])));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const follower = { name: 'nats', leader: 'nats-1', cluster_size: 2 };

test('a server that the group was formed without is named, and what to start again', async () => {
  const leader = await monitoring('nats-1', { ...follower, replicas: [member('nats-2')] });
  const others = [await monitoring('nats-0', { name: 'nats', cluster_size: 2 }), await monitoring('nats-2', follower)];
  const [found, ...rest] = await metaGroupOf([leader, ...others]);
  expect(rest).toEqual([]);
  expect(found).toMatchObject({ verdict: 'finding' });
  expect(found!.says).toBe('nats-0 is up and no part of it: it has nats-1 and nats-2, and size 2');
  expect(found!.mend).toMatch(/^Start nats-0 again .* start the leader nats-1 again/);
  // The leader alone knows its routes.
  expect(await metaGroupOf([leader])).toEqual([found]);
});

test('without its leader it can’t be told; without a leader nothing works', async () => {
  expect(await metaGroupOf([await monitoring('nats-2', follower)])).toMatchObject([
    { verdict: 'finding', mend: 'Name nats-1 with --nats-monitor too.' },
  ]);
  expect(await metaGroupOf([await monitoring('nats-2', { name: 'nats', cluster_size: 3 })])).toMatchObject([
    { verdict: 'finding', says: 'it has no leader among nats-0, nats-1, nats-2' },
  ]);
});

test('a group that is whole is well', async () => {
  const meta = { ...follower, cluster_size: 3, replicas: [member('nats-0'), member('nats-2')] };
  expect(await metaGroupOf([await monitoring('nats-1', meta)])).toMatchObject([{ verdict: 'ok' }]);
});
