import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Service {
  image: string;
  build?: { context: string; target: string };
  profiles?: string[];
  networks?: string[] | Record<string, { aliases?: string[] }>;
  ports?: string[];
  volumes?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  deploy?: { replicas: string };
  read_only?: boolean;
  cap_drop?: string[];
  stop_grace_period?: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { services } = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> };
const nginxConf = read('docker/nginx.conf');

describe('docker compose', () => {
  test('lets nothing but the proxies be reached from outside, and from this machine what shows the metrics', () => {
    const open = Object.entries(services).filter(([, { ports }]) => ports !== undefined);
    const ofThisMachine = open.filter(([, { ports }]) => ports!.every((port) => port.startsWith('127.0.0.1:')));
    expect(ofThisMachine.map(([name]) => name)).toEqual(['prometheus', 'grafana']);
    const others = open.filter((one) => !ofThisMachine.includes(one)).map(([name]) => name);
    expect(others).toEqual(['nginx', 'nginx-pi']);
  });

  test('has a second site of the same services, apart from the first and under the same names', () => {
    const second = Object.entries(services).filter(([, { profiles }]) => profiles?.includes('federation'));
    const first = ['nats', 'postgres', 'chat', 'federation', 'audit', 'axonchat', 'gateway', 'nginx'];
    expect(second.map(([name]) => name)).toEqual(first.map((name) => `${name}-pi`));
    for (const [name, { image, networks, depends_on: needed = {}, volumes = [] }] of second) {
      const twin = name.replace(/-pi$/, '');
      const { pi, between, ...more } = networks as Record<string, { aliases?: string[] }>;
      expect([name, image, more]).toEqual([name, services[twin]!.image, {}]);
      // Other sites meet what stands before the gateways, and are called by federation.
      if (twin !== 'nginx') expect([name, pi]).toEqual([name, { aliases: [twin] }]);
      expect([name, between !== undefined]).toEqual([name, ['nginx', 'federation'].includes(twin)]);
      expect(Object.keys(needed).filter((other) => !other.endsWith('-pi'))).toEqual([]);
      expect(volumes.filter((volume) => /^[a-z]/.test(volume) && !/^[a-z]+-pi:/.test(volume))).toEqual([]);
    }
  });

  test('gives the two sites settings by which they find each other', () => {
    const settings = Object.fromEntries(
      Array.from(read('docker/two-sites.env').matchAll(/^([A-Z_]+)=(.*)$/gm), ([, key, value]) => [key!, value!]),
    );
    const hosts = settings['FEDERATION_ALLOWED_HTTP_HOSTS']!.split(',');
    const addresses = [settings['PUBLIC_URL']!, services['federation-pi']!.environment!['PUBLIC_URL']!];
    expect(addresses.map((address) => new URL(address).host)).toEqual(hosts);
    const aliases = ['nginx', 'nginx-pi'].map(
      (name) => (services[name]!.networks as Record<string, { aliases: string[] }>)['between']!.aliases,
    );
    expect(aliases.flat()).toEqual(addresses.map((address) => new URL(address).hostname));
  });

  test('lets Prometheus ask every service, on its internal port', () => {
    const { scrape_configs: jobs } = parse(read('observability/prometheus/prometheus.yaml')) as {
      scrape_configs: { job_name: string; dns_sd_configs: { names: string[]; port: number }[] }[];
    };
    const built = Object.entries(services).filter(([name, { build }]) => build !== undefined && !name.endsWith('-pi'));
    expect(jobs.map(({ job_name: job }) => job).toSorted()).toEqual(built.map(([name]) => name).toSorted());
    for (const { job_name: job, dns_sd_configs: lookups } of jobs) {
      expect(lookups.map(({ names }) => names)).toEqual([[job]]);
      expect(String(lookups[0]!.port)).toBe(services[job]!.environment!['INTERNAL_PORT']);
    }
  });

  test('runs two gateways behind nginx, found by the name and port that its configuration asks for', () => {
    const { nginx, gateway } = services;
    expect(gateway!.deploy!.replicas).toBe('${GATEWAYS:-2}');
    expect(nginx!.depends_on).toEqual({ gateway: { condition: 'service_healthy' } });
    expect(nginx!.volumes).toEqual(['./docker/nginx.conf:/etc/nginx/nginx.conf:ro']);
    const [, name, port] = /server (\S+):(\d+) resolve;/.exec(nginxConf)!;
    expect(Object.keys(services)).toContain(name);
    expect(services[name!]!.environment!['PORT']).toBe(port);
    const listened = /listen (\d+);/.exec(nginxConf)![1]!;
    expect(nginx!.ports![0]!.endsWith(`:${listened}`)).toBe(true);
  });

  test('runs every part read-only and without capabilities, its servers apart', () => {
    const loose = Object.entries(services).filter(
      ([name, { read_only: isReadOnly, cap_drop: dropped }]) =>
        !/^(?:nats|postgres)(?:-pi)?$/.test(name) && !(isReadOnly === true && dropped?.[0] === 'ALL'),
    );
    expect(loose.map(([name]) => name)).toEqual([]);
  });

  test('gives a gateway the time that it takes to stop', () => {
    expect(Number.parseInt(services['gateway']!.stop_grace_period!, 10)).toBeGreaterThanOrEqual(3 + 10 + 4);
  });

  test('mounts and builds only from what the repository holds', () => {
    for (const { volumes = [], build } of Object.values(services)) {
      for (const volume of volumes.filter((text) => text.startsWith('./'))) {
        expect([volume, existsSync(join(root, volume.split(':', 1)[0]!))]).toEqual([volume, true]);
      }
      if (build !== undefined) expect(read('Dockerfile')).toContain(` AS ${build.target}\n`);
    }
  });
});
