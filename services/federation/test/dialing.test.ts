import { gzipSync } from 'node:zlib';
import { readConfig } from '@boardwire/service-kit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { AddressGuard } from '../src/dialing/address-guard.ts';
import { DialError, type DialFailure } from '../src/dialing/dial-error.ts';
import { Dialer, type DialerOptions } from '../src/dialing/dialer.ts';
import { dialerOptions, dialingConfigShape } from '../src/dialing/dialing-config.ts';
import { inflate } from '../src/dialing/inflate.ts';
import { PeerStandIn } from './support/peer-stand-in.ts';
import { SocksServer } from './support/socks-server.ts';
import { testCertificate } from './support/test-certificate.ts';

let peer: PeerStandIn;
let secure: PeerStandIn;
const dialers: Dialer[] = [];

beforeAll(async () => {
  peer = await PeerStandIn.start();
  secure = await PeerStandIn.start({ isTls: true });
});
afterAll(() => Promise.all([peer.close(), secure.close()]));
afterEach(async () => {
  await Promise.all(dialers.splice(0).map((dialer) => dialer.close()));
  peer.answer = secure.answer = (_request, response) => response.end('{}');
});

const onion = 'abcdefghijklmnop.onion';
/** Where the test's servers are, and nothing else of loopback. */
const testNetwork = ['127.0.0.1'];

function dialer(options: Partial<DialerOptions> = {}): Dialer {
  const resolve = () => Promise.resolve(['127.0.0.1']);
  const made = new Dialer({
    allowedNetworks: testNetwork,
    httpHosts: ['peer.example'],
    ca: testCertificate.cert,
    resolve,
    ...options,
  });
  dialers.push(made);
  return made;
}

const get = (url: string, from: Dialer, more: { bytesMax?: number; timeoutMs?: number; idleMs?: number } = {}) =>
  from.request({ method: 'GET', url, bytesMax: 10_000, ...more });
const plainUrl = (path = '/') => `http://peer.example:${peer.port}${path}`;

async function failure(work: Promise<unknown>): Promise<DialFailure | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof DialError) return error.failure;
    throw error;
  }
}

describe('addresses', () => {
  test.each([
    ['127.0.0.1', 'loopback'],
    ['127.8.9.10', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['192.168.1.1', 'private'],
    ['169.254.169.254', 'linkLocal'],
    ['100.64.0.1', 'carrierGradeNat'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['192.0.2.1', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'ipv4Mapped'],
    ['::ffff:a9fe:a9fe', 'ipv4Mapped'],
    ['::ffff:93.184.216.34', 'ipv4Mapped'],
    ['::127.0.0.1', 'unassigned'],
    ['0177.0.0.1', 'not an address'],
    ['64:ff9b::a9fe:a9fe', 'rfc6052'],
    ['64:ff9b:1::a9fe:a9fe', 'rfc6052'],
    ['2002:7f00:1::', '6to4'],
    ['2001::1', 'teredo'],
    ['fe80::1', 'linkLocal'],
    ['fe80::1%eth0', 'not an address'],
    ['fc00::1', 'uniqueLocal'],
    ['fd00:ec2::254', 'uniqueLocal'],
    ['fec0::1', 'deprecatedSiteLocal'],
    ['ff02::1', 'multicast'],
    ['2001:db8::1', 'reserved'],
    ['4000::1', 'unassigned'],
    ['peer.example', 'not an address'],
  ])('%s is not called: %s', (address, reason) => {
    expect(new AddressGuard().refusal(address)).toBe(reason);
  });

  test.each(['93.184.216.34', '8.8.8.8', '2a00:1450:4001::1', '2606:4700::1111'])('%s is called', (address) => {
    expect(new AddressGuard().refusal(address)).toBeUndefined();
  });

  test('that the operator lists are called, mapped ones by the address inside', () => {
    const guard = new AddressGuard(['10.1.0.0/16', 'fd00::/8', '192.168.1.7']);
    const called = ['10.1.2.3', 'fd00::1', '192.168.1.7', '::ffff:10.1.2.3'];
    const refused = ['10.2.0.1', '192.168.1.8', '::ffff:10.2.0.1', '::1', '::10.1.2.3'];
    expect(called.map((address) => guard.refusal(address))).toEqual(called.map(() => undefined));
    expect(refused.filter((address) => guard.refusal(address) === undefined)).toEqual([]);
  });
});

describe('a peer’s address', () => {
  test.each<[DialFailure, string]>([
    ['bad_url', 'nonsense'],
    ['bad_url', 'ftp://peer.example/'],
    ['bad_url', 'file:///etc/passwd'],
    ['bad_url', 'http://other.example/'],
    ['bad_url', 'https://name:password@peer.example/'],
    ['bad_url', `http://${onion}/`],
    ['bad_url', `https://${onion}/`],
    ['address_refused', 'https://127.0.0.2/'],
    ['address_refused', 'https://127.2/'],
    ['address_refused', 'https://0x7f000002/'],
    ['address_refused', 'https://2130706434/'],
    ['address_refused', 'https://017700000002/'],
    ['address_refused', 'https://0/'],
    ['address_refused', 'https://[::1]/'],
    ['address_refused', 'https://[::ffff:127.0.0.2]/'],
    ['address_refused', 'https://[::ffff:7f00:2]/'],
    ['address_refused', 'https://169.254.169.254/latest/meta-data'],
    ['address_refused', 'https://[fd00:ec2::254]/'],
    ['address_refused', 'https://[64:ff9b::a9fe:a9fe]/'],
  ])('%s: %s', async (expected, url) => {
    let asked = 0;
    const resolve = () => Promise.resolve([`127.0.0.${++asked}`]);
    expect(await failure(get(url, dialer({ resolve })))).toBe(expected);
    expect(asked).toBe(0);
  });

  test.each<[DialFailure, string, string[]]>([
    ['address_refused', 'loopback', ['127.0.0.2']],
    ['address_refused', 'one of two', ['127.0.0.1', '10.0.0.1']],
    ['address_refused', 'one of two, the other way round', ['169.254.169.254', '127.0.0.1']],
    ['address_refused', 'mapped', ['::ffff:127.0.0.2']],
    ['address_refused', 'NAT64', ['64:ff9b::7f00:2']],
    ['unresolved', 'none', []],
  ])('is %s when its name has such an address: %s', async (expected, _what, addresses) => {
    const before = peer.connections;
    expect(await failure(get(plainUrl(), dialer({ resolve: () => Promise.resolve(addresses) })))).toBe(expected);
    expect(peer.connections).toBe(before);
  });

  test('is unresolved when the resolver fails', async () => {
    const resolve = () => Promise.reject(new Error('NXDOMAIN'));
    expect(await failure(get(plainUrl(), dialer({ resolve })))).toBe('unresolved');
  });

  test('by the system’s resolver is checked too', async () => {
    const own = new Dialer({ allowedNetworks: [], httpHosts: ['localhost'] });
    dialers.push(own);
    expect(await failure(get(`http://localhost:${peer.port}/`, own))).toBe('address_refused');
  });

  test('is connected to where it was checked, whatever the name says a moment later', async () => {
    const trap = await PeerStandIn.start({ host: '127.0.0.2', port: peer.port });
    try {
      let asked = 0;
      const resolve = () => Promise.resolve(++asked === 1 ? ['127.0.0.1'] : ['127.0.0.2']);
      expect((await get(plainUrl('/bound'), dialer({ resolve }))).status).toBe(200);
      expect(asked).toBe(1);
      expect(peer.requests.at(-1)?.url).toBe('/bound');
      expect(trap.connections).toBe(0);
    } finally {
      await trap.close();
    }
  });
});

describe('over TLS', () => {
  test('a peer is who its certificate says', async () => {
    expect((await get(`https://peer.example:${secure.port}/`, dialer())).status).toBe(200);
    expect((await get(`https://127.0.0.1:${secure.port}/`, dialer())).status).toBe(200);
  });

  test('another name, and a certificate of nobody we trust, are refused', async () => {
    expect(await failure(get(`https://other.example:${secure.port}/`, dialer()))).toBe('unreachable');
    const { ca: _none, ...rest } = { ca: '' };
    const distrustful = new Dialer({
      allowedNetworks: testNetwork,
      httpHosts: [],
      resolve: async () => ['127.0.0.1'],
      ...rest,
    });
    dialers.push(distrustful);
    expect(await failure(get(`https://peer.example:${secure.port}/`, distrustful))).toBe('unreachable');
  });
});

describe('an answer', () => {
  test('comes as it travelled, with its status and headers', async () => {
    peer.answer = (request, response) => {
      response.writeHead(418, { 'x-one': '1', 'content-encoding': 'gzip' });
      response.end(gzipSync(`${request.method} ${request.url} ${request.headers['accept-encoding']}`));
    };
    const { status, headers, raw } = await get(plainUrl('/a?b=c'), dialer());
    expect({ status, one: headers['x-one'] }).toEqual({ status: 418, one: '1' });
    expect((await inflate(raw, 'gzip', 1_000)).toString()).toBe('GET /a?b=c gzip');
  });

  test.each([301, 302, 303, 307, 308])('that sends us elsewhere is refused: %i', async (status) => {
    const before = peer.requests.length;
    peer.answer = (_request, response) => response.writeHead(status, { location: plainUrl('/elsewhere') }).end();
    expect(await failure(get(plainUrl(), dialer()))).toBe('redirected');
    expect(peer.requests.length).toBe(before + 1);
  });

  test('that is too large is refused as soon as it is, said or unsaid', async () => {
    let written = 0;
    peer.answer = (request, response) => {
      if (request.url === '/said') return void response.end(Buffer.alloc(10_001));
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1_000))) written += 1_000;
      };
      response.on('drain', more);
      more();
    };
    expect(await failure(get(plainUrl('/said'), dialer()))).toBe('too_large');
    expect(await failure(get(plainUrl('/unsaid'), dialer()))).toBe('too_large');
    expect(written).toBeLessThan(20_000_000);
  });

  test('with headers beyond all measure is refused', async () => {
    peer.answer = (_request, response) => response.writeHead(200, { 'x-big': 'x'.repeat(40_000) }).end();
    expect(await failure(get(plainUrl(), dialer()))).toBe('too_large');
  });

  test('that never begins, that stops, and that trickles are given up', async () => {
    peer.answer = (request, response) => {
      if (request.url === '/never') return;
      response.write('a');
      if (request.url === '/stops') return;
      const timer = setInterval(() => response.write('a'), 20);
      response.on('close', () => clearInterval(timer));
    };
    const startedAt = Date.now();
    expect(await failure(get(plainUrl('/never'), dialer(), { timeoutMs: 200 }))).toBe('timed_out');
    expect(await failure(get(plainUrl('/trickles'), dialer(), { timeoutMs: 300 }))).toBe('timed_out');
    expect(Date.now() - startedAt).toBeLessThan(2_000);
    expect(await failure(get(plainUrl('/stops'), dialer(), { timeoutMs: 20_000, idleMs: 300 }))).toBe('timed_out');
    expect(Date.now() - startedAt).toBeLessThan(6_000);
  });

  test('of nobody: no port, no connection in time', async () => {
    expect(await failure(get('http://peer.example:1/', dialer()))).toBe('unreachable');
    const silent = () => new Promise<string[]>(() => undefined);
    expect(await failure(get(plainUrl(), dialer({ resolve: silent, connectTimeoutMs: 100 })))).toBe('timed_out');
  });

  test('the caller no longer wants ends with the caller’s own reason', async () => {
    peer.answer = () => undefined;
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('stopping')), 50);
    const call = dialer().request({ method: 'GET', url: plainUrl(), bytesMax: 1, signal: controller.signal });
    await expect(call).rejects.toThrow('stopping');
  });
});

describe('a stream', () => {
  test('is read as it comes, for longer than a request may take', async () => {
    peer.answer = (_request, response) => {
      let count = 0;
      const timer = setInterval(() => response.write(`${++count}\n`), 50);
      response.on('close', () => clearInterval(timer));
    };
    const { body } = await dialer().open({ method: 'POST', url: plainUrl(), timeoutMs: 200 });
    let text = '';
    for await (const part of body) {
      text += String(part);
      if (text.endsWith('10\n')) break;
    }
    expect(text).toBe('1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n');
  });

  test('that is encoded is refused, and one that redirects', async () => {
    peer.answer = (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('a'));
    expect(await failure(dialer().open({ method: 'POST', url: plainUrl() }))).toBe('bad_encoding');
    peer.answer = (_request, response) => response.writeHead(302, { location: '/' }).end();
    expect(await failure(dialer().open({ method: 'POST', url: plainUrl() }))).toBe('redirected');
  });
});

describe('inflating', () => {
  const noise = Buffer.from(Array.from({ length: 1_000 }, (_, n) => (n * n * 7919) % 251));

  test.each<[string, DialFailure, Buffer, string, number]>([
    ['a bomb', 'inflated', gzipSync(Buffer.alloc(50_000_000)), 'gzip', 1_000_000_000],
    [
      'a bomb of two members',
      'inflated',
      Buffer.concat([gzipSync(noise), gzipSync(Buffer.alloc(9_000_000))]),
      'gzip',
      1e9,
    ],
    ['more than asked for', 'too_large', gzipSync(noise), 'gzip', 999],
    ['more than asked for, plain', 'too_large', noise, 'identity', 999],
    ['no gzip', 'bad_encoding', noise, 'gzip', 10_000],
    ['half a gzip', 'bad_encoding', gzipSync(noise).subarray(0, 200), 'gzip', 10_000],
    ['another encoding', 'bad_encoding', noise, 'br', 10_000],
    ['two encodings', 'bad_encoding', gzipSync(gzipSync(noise)), 'gzip, gzip', 10_000],
  ])('refuses %s', async (_what, expected, raw, encoding, bytesMax) => {
    expect(await failure(inflate(raw, encoding, bytesMax))).toBe(expected);
  });

  test('takes what is within both bounds', async () => {
    expect(await inflate(gzipSync(noise), 'gzip', 1_000)).toEqual(noise);
    expect(await inflate(noise, undefined, 1_000)).toEqual(noise);
    const text = Buffer.from('0123456789'.repeat(20));
    expect(await inflate(gzipSync(text), 'gzip', 1_000)).toEqual(text);
  });
});

describe('through a SOCKS proxy', () => {
  const forbidden = () => {
    resolved += 1;
    return Promise.resolve(['127.0.0.1']);
  };
  let resolved = 0;
  const proxyOf = (server: SocksServer, isForAll = true, login = ':') => {
    const [username = '', password = ''] = login.split(':');
    return { host: '127.0.0.1', port: server.port, username, password, isForAll };
  };
  const through = (server: SocksServer, more: Partial<DialerOptions> = {}) =>
    dialer({ resolve: forbidden, proxy: proxyOf(server), ...more });

  async function withProxy(target: () => PeerStandIn, run: (server: SocksServer) => Promise<void>, login?: string) {
    const server = await SocksServer.start(() => target().port, login);
    resolved = 0;
    try {
      await run(server);
    } finally {
      await server.close();
    }
  }

  test('names travel to it as they are, and nobody here is asked for them', () =>
    withProxy(
      () => peer,
      async (server) => {
        server.isCrumbling = true;
        expect((await get(`http://${onion}/one`, through(server))).status).toBe(200);
        expect((await get(`http://peer.example:8080/two`, through(server))).status).toBe(200);
        expect(server.asked).toEqual([
          { type: 3, host: onion, port: 80 },
          { type: 3, host: 'peer.example', port: 8080 },
        ]);
        expect(resolved).toBe(0);
        expect(peer.requests.at(-1)?.url).toBe('/two');
      },
    ));

  test('TLS goes through it, to the name', () =>
    withProxy(
      () => secure,
      async (server) => {
        expect((await get('https://peer.example/', through(server))).status).toBe(200);
        expect((await get(`https://${onion}/`, through(server))).status).toBe(200);
        expect(await failure(get('https://other.example/', through(server)))).toBe('unreachable');
        expect(server.asked.map(({ host, port }) => `${host}:${port}`)).toEqual([
          'peer.example:443',
          `${onion}:443`,
          'other.example:443',
        ]);
        expect(resolved).toBe(0);
      },
    ));

  test('only .onion goes there when it is for .onion alone', () =>
    withProxy(
      () => peer,
      async (server) => {
        const mixed = through(server, { proxy: proxyOf(server, false) });
        expect((await get(`http://${onion}/`, mixed)).status).toBe(200);
        expect(resolved).toBe(0);
        expect((await get(plainUrl('/direct'), mixed)).status).toBe(200);
        expect(resolved).toBe(1);
        expect(server.asked.map(({ host }) => host)).toEqual([onion]);
      },
    ));

  test.each([
    'https://169.254.169.254/',
    'https://[::1]/',
    'https://localhost/',
    'https://metadata.google.internal/',
    'https://router/',
    'https://printer.local/',
    'https://localhost./',
  ])('what is inside a network is not asked of it: %s', (url) =>
    withProxy(
      () => peer,
      async (server) => {
        expect(await failure(get(url, through(server)))).toBe('address_refused');
        expect(server.asked).toEqual([]);
      },
    ),
  );

  test('its refusal, its silence and its absence are ours to tell', () =>
    withProxy(
      () => peer,
      async (server) => {
        server.reply = 5;
        await expect(get(`http://${onion}/`, through(server))).rejects.toMatchObject({
          failure: 'unreachable',
          cause: new Error('the proxy says: connection refused'),
        });
        const dumb = { ...proxyOf(server), port: peer.port };
        const late = through(server, { proxy: dumb, proxyConnectTimeoutMs: 200 });
        expect(['timed_out', 'unreachable']).toContain(await failure(get(`http://${onion}/`, late)));
        const absent = through(server, { proxy: { ...dumb, port: 1 } });
        expect(await failure(get(`http://${onion}/`, absent))).toBe('unreachable');
      },
    ));

  test('it gets the name and password that it asks for', () =>
    withProxy(
      () => peer,
      async (server) => {
        const named = (login: string) => through(server, { proxy: proxyOf(server, true, login) });
        expect((await get(`http://${onion}/`, named('ada:lovelace'))).status).toBe(200);
        expect(await failure(get(`http://${onion}/`, named('ada:wrong')))).toBe('unreachable');
        expect(await failure(get(`http://${onion}/`, named(':')))).toBe('unreachable');
        expect(server.logins).toEqual(['ada:lovelace', 'ada:wrong']);
      },
      'ada:lovelace',
    ));
});

describe('the configuration', () => {
  const read = (env: Record<string, string>) => dialerOptions(readConfig(z.object(dialingConfigShape), env));

  test('opens nothing by itself', () => {
    expect(read({})).toEqual({ allowedNetworks: [], httpHosts: [], proxy: undefined });
  });

  test('says where peers may be, and by which way', () => {
    const env = {
      FEDERATION_ALLOWED_NETWORKS: '10.0.0.0/8, fd00::/8,127.0.0.1',
      FEDERATION_ALLOWED_HTTP_HOSTS: 'Pi.lan, 127.0.0.1:8081',
      FEDERATION_PROXY: 'socks5h://ada:love%20lace@[::1]:9050',
      FEDERATION_PROXY_FOR: 'onion',
    };
    expect(read(env)).toEqual({
      allowedNetworks: ['10.0.0.0/8', 'fd00::/8', '127.0.0.1'],
      httpHosts: ['pi.lan', '127.0.0.1:8081'],
      proxy: { host: '::1', port: 9050, username: 'ada', password: 'love lace', isForAll: false },
    });
  });

  test.each([
    ['FEDERATION_ALLOWED_NETWORKS', '10.0.0.0/33'],
    ['FEDERATION_ALLOWED_NETWORKS', 'everything'],
    ['FEDERATION_PROXY', 'http://127.0.0.1:9050'],
    ['FEDERATION_PROXY', 'socks5h://127.0.0.1'],
    ['FEDERATION_PROXY_FOR', 'some'],
  ])('that makes no sense is refused at the start: %s=%s', (key, value) => {
    expect(() => read({ [key]: value })).toThrow(key);
  });
});
