import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Service {
  image: string;
  build?: { dockerfile: string };
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
  test('lets nothing but the proxy be reached from outside', () => {
    const open = Object.entries(services).filter(([, { ports }]) => ports !== undefined);
    expect(open.map(([name]) => name)).toEqual(['nginx']);
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
        !['nats', 'postgres'].includes(name) && !(isReadOnly === true && dropped?.[0] === 'ALL'),
    );
    expect(loose.map(([name]) => name)).toEqual([]);
  });

  test('gives a gateway the time that it takes to stop', () => {
    expect(Number.parseInt(services['gateway']!.stop_grace_period!, 10)).toBeGreaterThanOrEqual(3 + 10 + 4);
  });

  test('mounts and builds only from what the repository holds', () => {
    for (const { volumes = [], build } of Object.values(services)) {
      for (const volume of volumes.filter((text) => text.startsWith('./'))) read(volume.split(':', 1)[0]!);
      if (build !== undefined) read(build.dockerfile);
    }
  });
});
