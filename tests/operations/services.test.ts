import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { drainMs, lameDuckMs, readConfig, stopMaxMs, type CommonConfig } from '@boardwire/service-kit';
import type { z } from 'zod';
import { configSchemas } from '../support/config-schemas.ts';
import { workloadsOf, type Container, type Manifest } from './support/manifest.ts';
import { overlays, root, type Overlay } from './support/overlays.ts';

let schemas: Map<string, z.ZodObject>;
beforeAll(async () => {
  schemas = await configSchemas();
});

const isOurs = ({ image }: Container): boolean => /(?:^|\/)boardwire\//.test(image);
const nameOf = ({ image }: Container): string => /boardwire\/([a-z]+):/.exec(image)![1]!;
const schemaOf = (name: string): z.ZodObject => [...schemas].find(([workspace]) => workspace.endsWith(`/${name}`))![1];

interface Started {
  manifest: Manifest;
  container: Container;
  env: Record<string, string>;
}

/** Our containers, with the environment that a node would give them. */
function started({ manifests, secrets }: Overlay): Started[] {
  const stored = new Map(
    [...manifests, ...secrets].map((one) => [`${one.kind}/${one.metadata.name}`, { ...one.data, ...one.stringData }]),
  );
  return workloadsOf(manifests).flatMap(({ manifest, template }) =>
    template.spec.containers.filter(isOurs).map((container) => {
      const env: Record<string, string> = {};
      for (const { configMapRef } of container.envFrom ?? [])
        Object.assign(env, stored.get(`ConfigMap/${configMapRef!.name}`));
      for (const { name, value, valueFrom } of container.env ?? []) {
        const { secretKeyRef, fieldRef } = valueFrom ?? {};
        env[name] = value ?? fieldRef?.fieldPath ?? stored.get(`Secret/${secretKeyRef!.name}`)![secretKeyRef!.key]!;
      }
      return { manifest, container, env };
    }),
  );
}

describe.each(overlays)('the services of k8s/overlays/$name', (overlay) => {
  const all = started(overlay);
  const services = all.filter(({ manifest }) => manifest.kind === 'Deployment');
  const migrations = all.filter(({ manifest }) => manifest.kind === 'Job');
  const configOf = ({ container, env }: Started) =>
    readConfig(schemaOf(nameOf(container)), env) as CommonConfig & Record<string, unknown>;

  test('are all there are, under their own names', () => {
    const names = services.map(({ manifest }) => manifest.metadata.name);
    expect(names.toSorted()).toEqual([...schemas.keys()].map((workspace) => workspace.split('/')[1]!).toSorted());
    for (const { manifest, container } of services) expect(nameOf(container)).toBe(manifest.metadata.name);
  });

  test('start with the configuration they are given, in production', () => {
    for (const service of services) expect(configOf(service).NODE_ENV).toBe('production');
  });

  test('are given no key that they don’t read, and settings that somebody reads', () => {
    for (const { container } of all) {
      const unread = (container.env ?? []).filter(
        ({ name }) => !Object.hasOwn(schemaOf(nameOf(container)).shape, name),
      );
      expect([nameOf(container), unread.map(({ name }) => name)]).toEqual([nameOf(container), []]);
    }
    const read = new Set([...schemas.values()].flatMap(({ shape }) => Object.keys(shape)));
    const [site] = overlay.manifests.filter(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('site-'),
    );
    expect(Object.keys(site!.data!).filter((key) => !read.has(key))).toEqual([]);
  });

  test('listen on the ports that their pods name', () => {
    for (const service of services) {
      const config = configOf(service);
      const ports = Object.fromEntries(
        (service.container.ports ?? []).map(({ name, containerPort }) => [name, containerPort]),
      );
      expect([config.HOST, config.INTERNAL_PORT]).toEqual(['0.0.0.0', ports['internal']]);
      expect(config['PORT']).toBe(ports['http']);
    }
  });

  test('call each other where a Service is', () => {
    const there = overlay.manifests.flatMap(({ kind, metadata, spec }) =>
      kind === 'Service' ? spec.ports.map(({ port }: { port: number }) => `${metadata.name}:${port}`) : [],
    );
    // CloudNativePG makes the Service of its primary.
    if (overlay.manifests.some(({ kind }) => kind === 'Cluster')) there.push('postgres-rw:5432');
    for (const { env } of all) {
      for (const [key, value] of Object.entries(env)) {
        if (!key.endsWith('_URL') || key === 'PUBLIC_URL') continue;
        expect([key, there]).toEqual([key, expect.arrayContaining([new URL(value).host])]);
      }
    }
  });

  test('are told nothing that only a migration needs', () => {
    for (const { env } of services) {
      expect(env).not.toHaveProperty('DATABASE_OWNER_URL');
      expect(env['MIGRATIONS']).toBe('wait');
    }
  });

  test('have as long to stop as they take: preStop, lame duck, drain, and the bound of it all', () => {
    for (const service of services) {
      const { spec } = service.manifest.spec.template;
      const preStopMs = service.container.lifecycle!.preStop!.sleep!.seconds * 1_000;
      const config = configOf(service);
      expect(lameDuckMs(config) + drainMs(config)).toBeLessThanOrEqual(stopMaxMs(config) - 4_000);
      expect(spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(preStopMs + stopMaxMs(config));
    }
  });

  test('are migrated, those that store, by a program of their own', () => {
    const storing = [...schemas].filter(([, { shape }]) => Object.hasOwn(shape, 'DATABASE_URL'));
    expect(migrations.map(({ container }) => nameOf(container)).toSorted()).toEqual(
      storing.map(([workspace]) => workspace.split('/')[1]!).toSorted(),
    );
    for (const { manifest, container } of migrations) {
      expect(manifest.metadata.name).toBe(`migrate-${nameOf(container)}`);
      const [node, program] = container.command!;
      expect(node).toBe('node');
      expect(existsSync(join(root, program!.replace('/dist/', '/src/').replace(/\.js$/, '.ts')))).toBe(true);
    }
  });
});
