import type { BenchResult, BenchRow } from '../result.ts';

const size = { width: 960, label: 380, bar: 400, line: 24, top: 56 };
const colors = { met: '#2b8a3e', missed: '#c92a2a', plain: '#4263eb', ask: '#212529' };

/** A result as horizontal bars; those of one unit share a scale, and a mark shows what is asked. */
export function plot({ bench, at, machine, rows }: BenchResult): string {
  const scale = scales(rows);
  const height = size.top + rows.length * size.line + 16;
  const title = `${bench} · ${at.slice(0, 10)} · ${machine.cores} × ${machine.cpu}, Node ${machine.node}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(16, 30, title, 'font-size="15"'),
    ...rows.flatMap((row, index) => bar(row, size.top + index * size.line, scale.get(row.unit) ?? 1)),
    '</svg>\n',
  ].join('\n');
}

function scales(rows: readonly BenchRow[]): Map<string, number> {
  const largest = new Map<string, number>();
  for (const row of rows) {
    const reach = Math.max(finite(row.value), finite(askedValue(row)));
    largest.set(row.unit, Math.max(largest.get(row.unit) ?? 0, reach));
  }
  return largest;
}

function bar(row: BenchRow, top: number, largest: number): string[] {
  const scaled = (value: number) => (largest === 0 ? 0 : (finite(value) / largest) * size.bar).toFixed(1);
  const color = row.isMet === undefined ? colors.plain : row.isMet ? colors.met : colors.missed;
  const asked = askedValue(row);
  const shown = `${row.value.toLocaleString('en-US', { maximumFractionDigits: 2 })} ${row.unit}`;
  const x = size.label + Number(scaled(asked));
  return [
    text(size.label - 8, top + 14, row.what, 'text-anchor="end"'),
    `<rect x="${size.label}" y="${top + 3}" width="${scaled(row.value)}" height="14" fill="${color}"/>`,
    ...(Number.isFinite(asked) ? [`<path d="M${x} ${top}v20" stroke="${colors.ask}" stroke-width="2"/>`] : []),
    text(size.label + size.bar + 8, top + 14, `${shown}${row.ask === undefined ? '' : ` (${row.ask})`}`),
  ];
}

/** The number in `≤ 1.8`. */
function askedValue({ ask }: BenchRow): number {
  return ask === undefined ? Number.NaN : Number(ask.replaceAll(',', '').replace(/^[^\d]*/, ''));
}

function finite(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}
