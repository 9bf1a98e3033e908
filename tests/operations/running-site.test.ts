import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { parse } from 'yaml';
import { boardsStream } from '@boardwire/contracts';
import { call } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';
import { workloadsOf, type Manifest } from './support/manifest.ts';
import { overlays, root } from './support/overlays.ts';

let site: TestSite;
beforeAll(async () => {
  site = await startTestSite();
}, 60_000);
afterAll(async () => {
  await site?.stop();
}, 30_000);

/** The site calls its applets by one name; a Deployment is called after the applet. */
const internalUrl = (deployment: string): string =>
  site.internalUrl(deployment === 'axonchat' ? 'applets' : deployment);
const rulesFolder = join(root, 'observability', 'prometheus', 'rules');
const groups = readdirSync(rulesFolder)
  .toSorted()
  .flatMap((name) => (parse(readFileSync(join(rulesFolder, name), 'utf8')) as { groups: object[] }).groups);

describe.each(overlays)('a running site, as k8s/overlays/$name asks it', ({ manifests }) => {
  const deployments = workloadsOf(manifests).filter(({ manifest }) => manifest.kind === 'Deployment');
  const ofKind = (kind: string): Manifest[] => manifests.filter((one) => one.kind === kind);

  test('answers every probe', async () => {
    for (const { manifest, template } of deployments) {
      const [{ startupProbe, livenessProbe, readinessProbe }] = template.spec.containers as [never];
      for (const probe of [startupProbe, livenessProbe, readinessProbe] as {
        httpGet: { path: string; port: string };
      }[]) {
        expect(probe.httpGet.port).toBe('internal');
        const { status } = await call(`${internalUrl(manifest.metadata.name)}${probe.httpGet.path}`);
        expect([manifest.metadata.name, probe.httpGet.path, status]).toEqual([
          manifest.metadata.name,
          probe.httpGet.path,
          200,
        ]);
      }
    }
  });

  test('says at the public port that there is no such operators’ route', async () => {
    for (const path of ['/livez', '/readyz', '/metrics']) {
      expect((await call(`${site.url}${path}`)).text).not.toContain('boardwire_');
    }
  });

  test('has what Prometheus asks for, and what a gateway is scaled by', async () => {
    for (const { spec } of ofKind('ServiceMonitor')) expect(spec.endpoints[0].path).toBe('/metrics');
    const gateway = (await call(`${site.internalUrl('gateway')}/metrics`)).text;
    for (const { spec } of ofKind('HorizontalPodAutoscaler')) {
      for (const { pods } of spec.metrics) if (pods !== undefined) expect(gateway).toContain(`\n${pods.metric.name}{`);
    }
  });

  test('reads the stream by the consumers that KEDA asks about', async () => {
    for (const { metadata, spec } of ofKind('ScaledObject')) {
      for (const { type, metadata: asked } of spec.triggers) {
        if (type !== 'nats-jetstream') continue;
        expect(asked.stream).toBe(boardsStream.name);
        const text = (await call(`${internalUrl(metadata.name)}/metrics`)).text;
        expect(text).toContain(`boardwire_consumer_pending{consumer="${asked.consumer}"}`);
      }
    }
  });
});

/** Series that a text names and no service tells. */
async function untold(text: string): Promise<string[]> {
  const names = Array.from(text.matchAll(/\b(?:boardwire|process)_\w+/g), ([name]) => name);
  expect(names.length).toBeGreaterThan(0);
  const texts: string[] = [];
  for (const service of ['gateway', 'chat', 'federation', 'audit', 'applets']) {
    texts.push((await call(`${site.internalUrl(service)}/metrics`)).text);
  }
  return names.filter(
    (name) => !texts.some((told) => told.includes(`# TYPE ${name.replace(/_(?:bucket|sum|count)$/, '')} `)),
  );
}

describe('the runbooks', () => {
  const folder = join(root, 'docs', 'runbooks');
  const text = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');

  test('name series that a running site has', async () => {
    expect(await untold(text)).toEqual([]);
  });

  test('ask Postgres what it understands, and find who leads', async () => {
    const statements = Array.from(text.matchAll(/`(select [^`]+)`/g), ([, sql]) => sql!).filter(
      (sql) => !/pg_terminate_backend|pg_drop_/.test(sql),
    );
    expect(statements.length).toBeGreaterThan(5);
    const database = new pg.Client({ connectionString: site.infrastructure.postgres.url });
    await database.connect();
    try {
      for (const sql of statements) await database.query(sql);
      const leaders = statements.find((sql) => sql.includes("'advisory'"))!;
      const { rows } = await database.query<{ usename: string }>(leaders);
      expect(rows.map(({ usename }) => usename)).toEqual(
        expect.arrayContaining([expect.stringContaining('chat'), expect.stringContaining('audit')]),
      );
    } finally {
      await database.end();
    }
  });
});

describe('the rules of observability', () => {
  test('name series that a running site has', async () => {
    expect(await untold(JSON.stringify(groups))).toEqual([]);
  });

  test('are the same for Kubernetes: node scripts/prometheus-rule.mjs writes them', () => {
    const rule = parse(readFileSync(join(root, 'observability', 'prometheus-rule.yaml'), 'utf8')) as Manifest;
    expect(rule.spec.groups).toEqual(groups);
  });
});
