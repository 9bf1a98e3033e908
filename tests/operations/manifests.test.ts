import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { matches, titleOf, workloadsOf, type Manifest, type Selector } from './support/manifest.ts';
import { overlays, root } from './support/overlays.ts';
import { schemaErrors } from './support/schemas.ts';

const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  services: Record<string, { image: string }>;
};

describe.each(overlays)('k8s/overlays/$name', ({ manifests, secrets }) => {
  const workloads = workloadsOf(manifests);
  const ofKind = (kind: string): Manifest[] => manifests.filter((one) => one.kind === kind);

  test('holds only what the schemas of Kubernetes and its extensions know and allow', async () => {
    const wrong: string[] = [];
    for (const manifest of [...manifests, ...secrets]) {
      for (const error of await schemaErrors(manifest)) wrong.push(`${titleOf(manifest)}: ${error}`);
    }
    expect(wrong).toEqual([]);
  });

  test('has no two objects of one kind and name, and all of them in its namespace', () => {
    const titles = manifests.map(titleOf);
    expect(titles.filter((title, at) => titles.indexOf(title) !== at)).toEqual([]);
    const [namespace, ...more] = ofKind('Namespace');
    expect(more).toEqual([]);
    const elsewhere = [...manifests, ...secrets].filter(
      ({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== namespace!.metadata.name,
    );
    expect(elsewhere.map(titleOf)).toEqual([]);
  });

  test('is admitted by Pod Security "restricted", and by more than that', () => {
    expect(ofKind('Namespace')[0]!.metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    for (const { manifest, template } of workloads) {
      const { spec } = template;
      expect([titleOf(manifest), spec.securityContext]).toEqual([
        titleOf(manifest),
        expect.objectContaining({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }),
      ]);
      expect(spec.securityContext!.runAsUser).toBeGreaterThan(0);
      expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
      for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) expect(spec).not.toHaveProperty(key);
      expect((spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined)).toEqual([]);
      for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
        expect([titleOf(manifest), container.securityContext]).toEqual([
          titleOf(manifest),
          { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        ]);
      }
    }
  });

  test('asks for CPU and memory, and bounds memory, of every container', () => {
    for (const { manifest, template } of workloads) {
      for (const { resources } of template.spec.containers) {
        expect([titleOf(manifest), resources]).toEqual([
          titleOf(manifest),
          { requests: { cpu: expect.any(String), memory: expect.any(String) }, limits: { memory: expect.any(String) } },
        ]);
      }
    }
  });

  test('selects the pods that it means: by workload, Service, disruption budget and spread', () => {
    const labelsOfPods = workloads.map(({ template }) => template.metadata?.labels);
    const chosen = (selector: Selector) => labelsOfPods.filter((labels) => matches(selector, labels)).length;
    for (const { manifest, template } of workloads) {
      if (manifest.kind === 'Job') continue;
      const { labels } = template.metadata!;
      expect([titleOf(manifest), matches(manifest.spec.selector, labels)]).toEqual([titleOf(manifest), true]);
      expect(chosen(manifest.spec.selector)).toBe(1);
      for (const { labelSelector } of template.spec.topologySpreadConstraints ?? []) {
        expect(labelSelector).toEqual(manifest.spec.selector);
      }
    }
    for (const { spec } of ofKind('Service')) expect(chosen({ matchLabels: spec.selector })).toBe(1);
    for (const { spec } of ofKind('PodDisruptionBudget')) expect(chosen(spec.selector)).toBe(1);
  });

  test('keeps a replica of every service when a node is drained', () => {
    const budgets = ofKind('PodDisruptionBudget').map(({ metadata }) => metadata.name);
    const several = workloads.filter(
      ({ manifest }) => manifest.kind !== 'Job' && manifest.metadata.name !== 'postgres',
    );
    expect(budgets.toSorted()).toEqual(several.map(({ manifest }) => manifest.metadata.name).toSorted());
  });

  test('leads every Service to a port that its pods have', () => {
    for (const service of ofKind('Service')) {
      const { template } = workloads.find(({ template: one }) =>
        matches({ matchLabels: service.spec.selector }, one.metadata?.labels),
      )!;
      const names = template.spec.containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name));
      for (const { targetPort } of service.spec.ports) expect(names).toContain(targetPort);
    }
  });

  test('refers to ConfigMaps and Secrets, and keys of them, that are there', () => {
    const there = new Map([...manifests, ...secrets].map((one) => [titleOf(one), { ...one.data, ...one.stringData }]));
    const missing: string[] = [];
    const want = (title: string, key?: string) => {
      const data = there.get(title);
      if (data === undefined || (key !== undefined && !Object.hasOwn(data, key))) missing.push(`${title} ${key ?? ''}`);
    };
    for (const { template } of workloads) {
      for (const { env = [], envFrom = [] } of template.spec.containers) {
        for (const { configMapRef, secretRef } of envFrom) {
          if (configMapRef !== undefined) want(`ConfigMap/${configMapRef.name}`);
          if (secretRef !== undefined) want(`Secret/${secretRef.name}`);
        }
        for (const { valueFrom } of env) {
          const { secretKeyRef, configMapKeyRef } = valueFrom ?? {};
          if (secretKeyRef !== undefined) want(`Secret/${secretKeyRef.name}`, secretKeyRef.key);
          if (configMapKeyRef !== undefined) want(`ConfigMap/${configMapKeyRef.name}`, configMapKeyRef.key);
        }
      }
      for (const { configMap, secret } of template.spec.volumes ?? []) {
        if (configMap !== undefined) want(`ConfigMap/${configMap.name}`);
        // CloudNativePG makes its own authority; an optional one may be missing.
        if (secret !== undefined && secret.optional !== true) want(`Secret/${secret.secretName}`);
      }
    }
    for (const { spec } of ofKind('Cluster')) {
      for (const { passwordSecret } of spec.managed.roles) {
        want(`Secret/${passwordSecret.name}`, 'username');
        want(`Secret/${passwordSecret.name}`, 'password');
      }
    }
    expect(missing).toEqual([]);
  });

  test('mounts only volumes that the pod has, and uses all of them', () => {
    for (const { manifest, template } of workloads) {
      const claimed = ((manifest.spec.volumeClaimTemplates ?? []) as Manifest[]).map(({ metadata }) => metadata.name);
      const volumes = [...(template.spec.volumes ?? []).map(({ name }) => name), ...claimed];
      const mounted = template.spec.containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name));
      expect([titleOf(manifest), mounted.toSorted()]).toEqual([titleOf(manifest), volumes.toSorted()]);
    }
  });

  test('holds no secret: no Secret, and no password in a value', () => {
    expect(ofKind('Secret')).toEqual([]);
    const text = JSON.stringify(manifests);
    expect(text).not.toMatch(/:\/\/[^/"@\s]*:[^/"@\s]*@/);
    const named = workloads.flatMap(({ template }) => template.spec.containers.flatMap(({ env = [] }) => env));
    const open = named.filter(
      ({ name, value }) => /SECRET|PASSWORD|TOKEN|_KEY$|DATABASE/.test(name) && value !== undefined,
    );
    expect(open.map(({ name }) => name)).toEqual([]);
    const settings = ofKind('ConfigMap').flatMap(({ data }) => Object.keys(data!));
    expect(settings.filter((key) => /SECRET|PASSWORD|TOKEN|DATABASE/.test(key))).toEqual([]);
  });

  test('runs the versions of NATS and Postgres that docker compose runs', () => {
    for (const name of ['nats', 'postgres']) {
      const byDefault = /:-(.*)\}/.exec(compose.services[name]!.image)![1]!;
      const images = workloads.flatMap(({ manifest, template }) =>
        manifest.metadata.name === name ? template.spec.containers.map(({ image }) => image) : [],
      );
      for (const image of images) expect(image).toBe(byDefault);
      for (const { spec } of name === 'postgres' ? ofKind('Cluster') : []) {
        expect(byDefault).toContain(`:${spec.imageName.split(':')[1]}`);
      }
    }
  });

  test('scales what is there, and gives it no number of its own then', () => {
    for (const { kind, spec } of [...ofKind('HorizontalPodAutoscaler'), ...ofKind('ScaledObject')]) {
      const { name } = spec.scaleTargetRef;
      const { manifest } = workloads.find((one) => titleOf(one.manifest) === `Deployment/${name}`)!;
      expect([kind, name, manifest.spec.replicas]).toEqual([kind, name, undefined]);
    }
  });

  test('lets Prometheus find the internal port of every service, and of nothing else', () => {
    const [monitor] = ofKind('ServiceMonitor');
    if (monitor === undefined) return;
    const { selector, endpoints } = monitor.spec;
    const found = ofKind('Service').filter(
      ({ metadata, spec }) =>
        matches(selector, metadata.labels) &&
        spec.ports.some(({ name }: { name: string }) => name === endpoints[0].port),
    );
    const deployments = ofKind('Deployment').map(({ metadata }) => metadata.name);
    expect(found.map(({ metadata }) => metadata.name).toSorted()).toEqual(deployments.toSorted());
  });
});

test('the schemas refuse a value of another type, a missing field, and a field that there is not', async () => {
  const deployment = (container: object, replicas: unknown): Manifest => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a' },
    spec: { replicas, selector: { matchLabels: { a: 'b' } }, template: { spec: { containers: [container] } } },
  });
  expect(await schemaErrors(deployment({ name: 'a', image: 'b' }, 1))).toEqual([]);
  expect(await schemaErrors(deployment({ name: 'a' }, '1'))).toEqual([expect.stringContaining('must be integer')]);
  expect(await schemaErrors(deployment({ image: 'b' }, 1))).toEqual([expect.stringContaining('name')]);
  expect(await schemaErrors(deployment({ name: 'a', readynessProbe: {} }, 1))).toEqual([
    '/spec/template/spec/containers/0/readynessProbe is not in the schema',
  ]);
});
