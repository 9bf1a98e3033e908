import { createHmac, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { freePort } from '@boardwire/embedded';
import { measureRound } from '../delivery/measure-round.ts';
import { LoadGenerator } from '../load/load-generator.ts';
import type { Stage } from '../rig/stage.ts';
import type { Contender } from './contender.ts';
import { goProgram } from './go-programs.ts';
import { HttpFedContender } from './http-fed-contender.ts';

const channel = 'bench';
const startOf = { Centrifugo: startCentrifugo, Mercure: startMercure } as const;

/** Those that can be had; why not is told and noted for the others. */
export async function startGoPeers(stage: Stage, notes: string[]): Promise<Contender[]> {
  const peers: Contender[] = [];
  for (const [name, start] of Object.entries(startOf)) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- building uses every core
      const peer = stage.own(await start(stage));
      // oxlint-disable-next-line no-await-in-loop
      await tryOut(stage, peer);
      peers.push(peer);
    } catch (error) {
      notes.push(`${name} is not compared: ${(error as Error).message.replace(/\.$/, '')}.`);
      stage.say(`  … ${notes.at(-1)}`);
    }
  }
  return peers;
}

/** Whatever its version makes of our configuration shows here, and not in the middle of a comparison. */
async function tryOut({ programs, cores }: Stage, contender: Contender): Promise<void> {
  const { target } = contender;
  const { load } = await LoadGenerator.open({ program: programs.load, target, connections: 5, core: cores?.load });
  try {
    await measureRound({ contender, load }, { rate: 20, burst: 1, seconds: 0.5, isBatched: false });
  } finally {
    await load.close();
  }
}

async function startCentrifugo({ folder, cores }: Stage): Promise<Contender> {
  const command = await goProgram('centrifugo', 'github.com/centrifugal/centrifugo/v5@latest');
  const port = await freePort();
  const config = join(folder, 'centrifugo.json');
  await writeFile(
    config,
    JSON.stringify({
      address: '127.0.0.1',
      port: String(port),
      log_level: 'error',
      uni_sse: true,
      client_insecure: true,
      api_insecure: true,
    }),
  );
  const connect = encodeURIComponent(JSON.stringify({ subs: { [channel]: {} } }));
  const path = `/connection/uni_sse?cf_connect=${connect}`;
  return HttpFedContender.start({
    name: 'Centrifugo',
    command,
    args: [`--config=${config}`],
    env: { PATH: process.env['PATH'], GOMAXPROCS: '1' },
    folder,
    core: cores?.server,
    target: { port, requests: [streamRequest(port, path)], ready: '"connect"', isWebSocket: false },
    publish: (payload) => ({
      path: '/api/publish',
      headers: { 'content-type': 'application/json' },
      body: `{"channel":"${channel}","data":${payload}}`,
    }),
  });
}

async function startMercure({ folder, cores }: Stage): Promise<Contender> {
  const command = await goProgram('mercure', 'github.com/dunglas/mercure/caddy/mercure@latest');
  const port = await freePort();
  const config = join(folder, 'Caddyfile');
  const key = randomBytes(32).toString('hex');
  await writeFile(config, mercureConfig(port, key));
  return HttpFedContender.start({
    name: 'Mercure',
    command,
    args: ['run', '--config', config, '--adapter', 'caddyfile'],
    env: { PATH: process.env['PATH'], HOME: folder, GOMAXPROCS: '1' },
    folder,
    core: cores?.server,
    target: {
      port,
      requests: [streamRequest(port, `/.well-known/mercure?topic=${channel}`)],
      ready: '',
      isWebSocket: false,
    },
    publish: (payload) => ({
      path: '/.well-known/mercure',
      headers: {
        authorization: `Bearer ${publisherToken(key)}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ topic: channel, data: payload }).toString(),
    }),
  });
}

function mercureConfig(port: number, key: string): string {
  return `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  mercure {
    publisher_jwt ${key}
    subscriber_jwt ${key}
    anonymous
  }
}
`;
}

/** HS256, as its specification asks of a publisher. */
function publisherToken(key: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ mercure: { publish: ['*'] } })}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

function streamRequest(port: number, path: string): string {
  return `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: text/event-stream\r\n\r\n`;
}
