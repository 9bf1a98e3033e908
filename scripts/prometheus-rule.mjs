import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';

// node scripts/prometheus-rule.mjs
// Writes observability/prometheus-rule.yaml, which Kubernetes takes, from observability/prometheus/rules, which Prometheus takes.
const folder = fileURLToPath(new URL('../observability/prometheus/rules/', import.meta.url));
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .toSorted();
const groups = files.flatMap((name) => parse(readFileSync(folder + name, 'utf8')).groups);
const rule = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: { name: 'boardwire' },
  spec: { groups },
};
const text = `# Made by scripts/prometheus-rule.mjs from prometheus/rules: change those.\n${stringify(rule, { lineWidth: 0, singleQuote: true })}`;
writeFileSync(fileURLToPath(new URL('../observability/prometheus-rule.yaml', import.meta.url)), text);
