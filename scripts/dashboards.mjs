// node scripts/dashboards.mjs: writes observability/grafana/dashboards from observability/grafana/source.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dashboardFiles } from '../observability/grafana/source/index.mjs';

const folder = fileURLToPath(new URL('../observability/grafana/dashboards/', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(dashboardFiles())) writeFileSync(folder + name, text);
