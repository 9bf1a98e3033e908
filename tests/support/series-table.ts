import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One row of docs/metrics.md: `boardwire_x{queue="outbox"}` on a service; labels without a value stand for all of it. */
export interface Series {
  /** As it stands in the table. */
  written: string;
  name: string;
  labels: string[];
  service: string;
}

const file = fileURLToPath(new URL('../../docs/metrics.md', import.meta.url));

/** The rows of the tables: what must move, and what must exist, of one site and between sites. */
export function readSeriesTables(): { moving: Series[]; existing: Series[] } {
  const [, moving = '', existing = '', between = ''] = readFileSync(file, 'utf8').split(/^## .*$/m);
  return { moving: rowsOf(moving), existing: rowsOf(existing + between) };
}

function rowsOf(section: string): Series[] {
  return Array.from(
    section.matchAll(/^\| `(\w+)(?:\{([^}]*)\})?` +\| (\w+) +\|/gm),
    ([row, name, labels, service]) => ({
      written: /`(.*?)`/.exec(row)![1]!,
      name: name!,
      labels: (labels ?? '').split(',').filter((label) => label !== ''),
      service: service!,
    }),
  );
}

/** What a scrape says of a series, over all labels that the table leaves open; of a histogram the count. */
export function valueOf(scrape: string, { name, labels }: Series): number | undefined {
  const fixed = labels.filter((label) => label.includes('='));
  const lines = scrape.split('\n').filter((line) => {
    const [series = ''] = line.split(/[{ ]/, 1);
    return (series === name || series === `${name}_count`) && fixed.every((label) => line.includes(label));
  });
  if (lines.length === 0) return undefined;
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** Label names that a scrape tells of a series. */
export function labelsOf(scrape: string, { name }: Series): Set<string> {
  const lines = scrape.split('\n').filter((line) => line.startsWith(`${name}{`));
  return new Set(lines.flatMap((line) => Array.from(line.matchAll(/(\w+)="/g), ([, label]) => label!)));
}
