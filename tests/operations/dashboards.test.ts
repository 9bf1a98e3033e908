import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, freePort, promtool, PrometheusServer, type FoundProgram } from '@boardwire/test-kit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { dashboardFiles } from '../../observability/grafana/source/index.mjs';
import { observability, panelQueries, seriesIn } from '../support/dashboards.ts';
import { liveSite, type LiveSite } from '../support/live-site.ts';
import { call } from '../support/person.ts';
import { prometheusOrReason } from '../support/program-or-reason.ts';

const rulesFolder = join(observability, 'prometheus', 'rules');
const ruleFiles = readdirSync(rulesFolder).map((name) => join(rulesFolder, name));
/** Series that no site of a test has, and where it is seen that they exist. */
const seenElsewhere = new Map([
  [
    'boardwire_fed_certificate_expires_timestamp_seconds',
    'only where an address is https: services/federation/test/own-certificates.test.ts',
  ],
  ['kubelet_volume_stats_available_bytes', 'of a cluster; Kubernetes’ reference of metrics has it'],
  ['kubelet_volume_stats_capacity_bytes', 'the same'],
]);
const program = await prometheusOrReason();
const withPrometheus = program === undefined ? describe.skip : describe;

test('the dashboards are what their source makes', () => {
  const folder = join(observability, 'grafana', 'dashboards');
  const files = dashboardFiles();
  expect(
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .toSorted(),
  ).toEqual(Object.keys(files).toSorted());
  for (const [name, text] of Object.entries(files))
    expect(JSON.parse(readFileSync(join(folder, name), 'utf8'))).toEqual(JSON.parse(text));
});

test('the first row of each is latency and queues', () => {
  const first = Object.entries(dashboardFiles()).map(([name, text]) => {
    const { panels } = JSON.parse(text) as { panels: { type: string; targets?: { expr: string }[] }[] };
    const end = panels.findIndex(({ type }, at) => at > 0 && type === 'row');
    const queries = panels.slice(1, end).flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    return {
      name,
      hasLatency: /_seconds_bucket/.test(queries[0]!),
      hasDepth: /boardwire_queue_depth/.test(queries.join()),
    };
  });
  expect(first.filter(({ hasLatency, hasDepth }) => !hasLatency || !hasDepth)).toEqual([]);
});

withPrometheus('a real Prometheus', () => {
  let live: LiveSite;
  let prometheus: PrometheusServer;

  beforeAll(async () => {
    live = await liveSite();
    prometheus = await PrometheusServer.start({
      program: program as FoundProgram,
      folder: join(live.site.infrastructure.folder, 'prometheus'),
      configuration: JSON.stringify({
        global: { scrape_interval: '500ms', evaluation_interval: '1s' },
        rule_files: ruleFiles,
        scrape_configs: live.services.map((job) => ({
          job_name: job,
          static_configs: [{ targets: [new URL(live.internalUrl(job)).host] }],
        })),
      }),
      port: await freePort(),
    });
    await live.everythingHappens();
  }, 120_000);
  afterAll(async () => {
    await prometheus?.stop();
    await live?.stop();
  }, 60_000);

  test('has data for every query of every panel', async () => {
    const queries = panelQueries().filter(({ expr }) => !seriesIn(expr).some((name) => seenElsewhere.has(name)));
    expect(queries.length).toBeGreaterThan(50);
    await eventually(
      async () => {
        const answers = await Promise.all(
          queries.map(async (query) => ({
            ...query,
            found: await prometheus.query(query.expr.replaceAll('$__rate_interval', '20s')),
          })),
        );
        const empty = answers.filter(({ found }) => !found.some(({ value }) => !Number.isNaN(value)));
        expect(empty.map(({ dashboard, panel, expr }) => `${dashboard} · ${panel}: ${expr}`)).toEqual([]);
      },
      { timeoutMs: 20_000, everyMs: 500 },
    );
  }, 60_000);

  test('evaluates every rule, over series that exist', async () => {
    const rules = await eventually(async () => {
      const all = await prometheus.rules();
      expect(all.filter(({ health }) => health !== 'ok')).toEqual([]);
      return all;
    });
    expect(rules.length).toBeGreaterThan(15);
    const names = [...new Set(rules.flatMap(({ query }) => seriesIn(query)))];
    const counted = await Promise.all(
      names.map(async (name) => ({ name, found: (await prometheus.query(`count(${name})`)).length })),
    );
    const missing = counted.filter(({ found }) => found === 0).map(({ name }) => name);
    // Both ways: what is there needs no excuse.
    expect(missing.toSorted()).toEqual([...seenElsewhere.keys()].toSorted());
  });

  test('no alert of a site that is well', async () => {
    const firing = await prometheus.query('ALERTS{alertstate="firing"}');
    expect(firing.map(({ metric }) => metric['alertname'])).toEqual([]);
  });

  test('finds nothing wrong with what the services tell', async () => {
    for (const service of live.services) {
      const { text } = await call(`${live.internalUrl(service)}/metrics`);
      await promtool(program as FoundProgram, ['check', 'metrics'], text);
    }
  });

  test('accepts the rules, and they say what their own tests expect', async () => {
    await promtool(program as FoundProgram, ['check', 'rules', ...ruleFiles]);
    const folder = join(observability, 'prometheus', 'tests');
    const tests = readdirSync(folder).map((name) => join(folder, name));
    expect(await promtool(program as FoundProgram, ['test', 'rules', ...tests])).toContain('SUCCESS');
  });

  test('each alert has its runbook', () => {
    const texts = ruleFiles.map((file) => readFileSync(file, 'utf8')).join('\n');
    const alerts = texts.match(/- alert: /g)!.length;
    const runbooks = [...texts.matchAll(/runbook: (docs\/runbooks\/[a-z-]+\.md)/g)].map(([, path]) => path!);
    expect(runbooks).toHaveLength(alerts);
    for (const path of runbooks) expect(readFileSync(join(observability, '..', path), 'utf8')).toMatch(/^# /);
  });
});
