import { createServer, type AddressInfo } from 'node:net';
import { createLogger, Metrics, readConfig } from '@boardwire/service-kit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { certifiedAddresses, OwnCertificates } from '../src/certificates/own-certificates.ts';
import { seeCertificate } from '../src/certificates/see-certificate.ts';
import { federationConfig } from '../src/config.ts';
import { FederationMetrics } from '../src/metrics.ts';
import { PeerStandIn } from './support/peer-stand-in.ts';
import { testCertificate } from './support/test-certificate.ts';

/** As `openssl x509 -enddate` reads it in the test's certificate. */
const expires = Date.UTC(2126, 9, 28, 23, 47, 17);
const { signal } = new AbortController();

let secure: PeerStandIn;
let address: string;
beforeAll(async () => {
  secure = await PeerStandIn.start({ isTls: true });
  address = `https://127.0.0.1:${secure.port}`;
});
afterAll(() => secure?.close());

describe('a certificate', () => {
  test('is seen with its end, and is trusted by whoever knows its authority', async () => {
    const seen = await seeCertificate(`${address}/some/path`, { signal, ca: testCertificate.cert });
    expect(seen).toEqual({ expiresAtMs: expires, isTrusted: true, reason: undefined });
  });

  test('is seen as well when nobody would trust it, and why', async () => {
    const seen = await seeCertificate(address, { signal });
    expect(seen).toMatchObject({ expiresAtMs: expires, isTrusted: false });
    expect(seen.reason).toContain('SELF_SIGNED');
  });

  test('of another name is not trusted', async () => {
    const { port } = secure;
    const seen = await seeCertificate(`https://localhost:${port}`, { signal, ca: testCertificate.cert });
    expect(seen).toMatchObject({ isTrusted: false, reason: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  test('is not seen where nobody listens, nobody speaks TLS, or the service stops meanwhile', async () => {
    const plain = await PeerStandIn.start();
    await expect(seeCertificate(`https://127.0.0.1:${plain.port}`, { signal })).rejects.toThrow();
    await plain.close();
    await expect(seeCertificate(`https://127.0.0.1:${plain.port}`, { signal })).rejects.toThrow('ECONNREFUSED');
    const mute = createServer();
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const stopping = new AbortController();
    mute.once('connection', (socket) => {
      socket.resume().on('error', () => undefined);
      stopping.abort();
    });
    const { port } = mute.address() as AddressInfo;
    await expect(seeCertificate(`https://127.0.0.1:${port}`, { signal: stopping.signal })).rejects.toThrow(
      'the service stops',
    );
    await new Promise((resolve) => mute.close(resolve));
  });
});

describe('the site’s own certificates', () => {
  test('are told with their end and how often they were seen, and what was seen stays when nobody answers', async () => {
    const metrics = new Metrics();
    const logger = createLogger({ service: 'test', level: 'silent' });
    const own = new OwnCertificates({ addresses: [address], metrics: new FederationMetrics(metrics), logger });
    const told = async () => (await metrics.registry.metrics()).split('\n').filter((line) => !line.startsWith('#'));
    expect(await told()).toContain('boardwire_fed_certificate_looks_total{outcome="untrusted"} 0');
    await own.look(signal);
    const host = `127.0.0.1:${secure.port}`;
    const end = `boardwire_fed_certificate_expires_timestamp_seconds{host="${host}"} ${expires / 1_000}`;
    expect(await told()).toContain(end);
    expect(await told()).toContain('boardwire_fed_certificate_looks_total{outcome="untrusted"} 1');
    await secure.close();
    await own.look(signal);
    expect(await told()).toContain(end);
    expect(await told()).toContain('boardwire_fed_certificate_looks_total{outcome="unreachable"} 1');
  });

  const addresses = (env: Record<string, string>) =>
    certifiedAddresses(
      readConfig(federationConfig, {
        INTERNAL_SECRET: 's'.repeat(32),
        DATABASE_URL: 'postgres://localhost/x',
        CHAT_URL: 'http://127.0.0.1:1',
        ...env,
      }),
    );

  test('are those of the public address and of all endpoints, each once', () => {
    const endpoints = 'https://board.example,https://two.example:8443,http://plain.example,https://a.onion';
    expect(addresses({ PUBLIC_URL: 'https://board.example', FEDERATION_ENDPOINTS: endpoints })).toEqual([
      'https://board.example',
      'https://two.example:8443',
    ]);
    expect(addresses({ PUBLIC_URL: 'https://board.example', FEDERATION_ENDPOINTS: 'none' })).toEqual([
      'https://board.example',
    ]);
    expect(addresses({ PUBLIC_URL: 'http://localhost:8080' })).toEqual([]);
    expect(addresses({})).toEqual([]);
  });

  test('are not looked at past a proxy that everything goes through', () => {
    const env = { PUBLIC_URL: 'https://board.example', FEDERATION_PROXY: 'socks5h://127.0.0.1:9050' };
    expect(addresses(env)).toEqual([]);
    expect(addresses({ ...env, FEDERATION_PROXY_FOR: 'onion' })).toEqual(['https://board.example']);
  });
});
