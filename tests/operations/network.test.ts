import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { configSchemas } from '../support/config-schemas.ts';
import { arrow, arrowsOfTheTables, arrowsOfThePolicies } from './support/arrows.ts';
import { matches, titleOf, workloadsOf } from './support/manifest.ts';
import { overlays, root } from './support/overlays.ts';

const { always, withCluster } = arrowsOfTheTables();

describe.each(overlays)('the network policies of k8s/overlays/$name', ({ manifests }) => {
  const hasCluster = manifests.some(({ kind }) => kind === 'Cluster');
  const wanted = hasCluster ? [...always, ...withCluster] : always;
  const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy');
  const pods = new Set([
    ...workloadsOf(manifests).map(({ template }) => template.metadata!.labels!['app.kubernetes.io/name']!),
    'postgres',
  ]);

  test('let nothing in or out of any pod by default, but questions to the DNS', () => {
    const [deny, ...more] = policies.filter(({ spec }) => Object.keys(spec.podSelector).length === 0);
    expect(more).toEqual([]);
    expect(deny!.spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(deny!.spec).not.toHaveProperty('ingress');
    const [dns, ...others] = deny!.spec.egress;
    expect(others).toEqual([]);
    expect(dns.ports.map(({ port }: { port: number }) => port)).toEqual([53, 53]);
  });

  test('let in what stands in the table, and nothing else', () => {
    const { ingress } = arrowsOfThePolicies(manifests);
    const toPods = wanted.filter((one) => pods.has(one.replace(/^.* → (.*):\d+$/, '$1')));
    expect(ingress.toSorted()).toEqual(toPods.toSorted());
  });

  test('let out what stands in the table, and nothing else', () => {
    const { egress } = arrowsOfThePolicies(manifests);
    const fromPods = wanted.filter((one) => pods.has(one.replace(/ → .*$/, '')));
    expect(egress.toSorted()).toEqual(fromPods.toSorted());
  });

  test('govern every pod, both ways', () => {
    for (const { manifest, template } of workloadsOf(manifests)) {
      const own = policies.filter(
        ({ spec }) => Object.keys(spec.podSelector).length > 0 && matches(spec.podSelector, template.metadata?.labels),
      );
      expect([titleOf(manifest), own.map(({ spec }) => spec.policyTypes)]).toEqual([
        titleOf(manifest),
        [['Ingress', 'Egress']],
      ]);
    }
  });

  test('name ports that the pods have', () => {
    for (const { template } of workloadsOf(manifests)) {
      const name = template.metadata!.labels!['app.kubernetes.io/name']!;
      const ports = template.spec.containers.flatMap(({ ports: list = [] }) => list.map((port) => port.containerPort));
      const asked = wanted.flatMap((one) => {
        const [, to, port] = /^.* → (.*):(\d+)$/.exec(one)!;
        return to === name ? [Number(port)] : [];
      });
      expect([name, asked.filter((port) => !ports.includes(port))]).toEqual([name, []]);
    }
  });

  test('keep federation from private networks, as its own guard does', () => {
    const { spec } = policies.find(({ metadata }) => metadata.name === 'federation')!;
    const [peers] = spec.egress.flatMap(({ to }: { to: { ipBlock?: { except: string[] } }[] }) =>
      to.some(({ ipBlock }) => ipBlock !== undefined) ? [to] : [],
    );
    const excepted = peers.flatMap(({ ipBlock }: { ipBlock: { except: string[] } }) => ipBlock.except);
    for (const range of ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10']) {
      expect(excepted).toContain(range);
    }
  });
});

describe('the table of ARCHITECTURE.md', () => {
  const callees: Readonly<Record<string, string>> = { APPLETS_URL: 'axonchat' };
  let schemas: Map<string, z.ZodObject>;
  beforeAll(async () => {
    schemas = await configSchemas();
  });

  /** What a service is told to call, and which servers its start connects to. */
  function calls(workspace: string, schema: z.ZodObject): string[] {
    const name = workspace.split('/')[1]!;
    const boot = readFileSync(join(root, workspace, 'src/boot.ts'), 'utf8');
    const others = Object.keys(schema.shape).flatMap((key) => {
      const called = callees[key] ?? /^(CHAT|AUDIT|FEDERATION)_URL$/.exec(key)?.[1]?.toLowerCase();
      return called === undefined ? [] : [arrow(name, called, 9100)];
    });
    const bus = boot.includes('connectBus(') ? [arrow(name, 'nats', 4222)] : [];
    const database = Object.hasOwn(schema.shape, 'DATABASE_URL') ? [arrow(name, 'postgres', 5432)] : [];
    const sites = Object.hasOwn(schema.shape, 'FEDERATION_PROXY') ? [arrow(name, 'other sites', 443)] : [];
    return [...others, ...bus, ...database, ...sites];
  }

  test('has the arrows that the services are configured for, and no more', () => {
    const called = [...schemas].flatMap(([workspace, schema]) => calls(workspace, schema));
    const names = [...schemas.keys()].map((workspace) => workspace.split('/')[1]!);
    const told = always.filter((one) => names.includes(one.replace(/ → .*$/, '')));
    expect(told.toSorted()).toEqual(called.toSorted());
  });

  test('lists each arrow once', () => {
    const all = [...always, ...withCluster];
    expect(all.filter((one, at) => all.indexOf(one) !== at)).toEqual([]);
  });
});
