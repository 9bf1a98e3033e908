import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const observability = fileURLToPath(new URL('../../observability/', import.meta.url));

export interface PanelQuery {
  dashboard: string;
  panel: string;
  expr: string;
}

/** Every query of every dashboard file. */
export function panelQueries(): PanelQuery[] {
  const folder = `${observability}grafana/dashboards/`;
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const { panels } = JSON.parse(readFileSync(folder + name, 'utf8')) as {
        panels: { title: string; targets?: { expr: string }[] }[];
      };
      return panels.flatMap(({ title, targets = [] }) =>
        targets.map(({ expr }) => ({ dashboard: name.replace('.json', ''), panel: title, expr })),
      );
    });
}

/** Names of series in a PromQL expression: of Boardwire's services, and of the cluster where rules ask for them. */
export function seriesIn(expr: string): string[] {
  return [...new Set(expr.match(/\b(?:boardwire|nodejs|process|kubelet)_[a-z0-9_]+/g) ?? [])];
}
