import type { LoopStatus, ServiceStatus } from '@boardwire/contracts';
import type { SiteRecord } from './site-state.ts';

export interface ServiceAnswer {
  service: SiteRecord['services'][number];
  /** A string says why there is none. */
  status: ServiceStatus | string;
}

/** The state of a site as text: per service its loops, boards and queues. */
export function statusText(record: SiteRecord, answers: ServiceAnswer[], now = Date.now()): string {
  const head = `${record.publicUrl}  ${record.mode}, pid ${record.pid}, since ${record.startedAt}`;
  return `${[head, ...answers.map((answer) => serviceText(answer, now))].join('\n\n')}\n`;
}

function serviceText({ service, status }: ServiceAnswer, now: number): string {
  const title = [service.name, `pid ${service.pid ?? '-'}`, service.internalUrl, service.publicUrl ?? []]
    .flat()
    .join('  ');
  if (typeof status === 'string') return `${title}  ${status}`;
  const reasons = status.reasons.length > 0 ? `: ${status.reasons.join('; ')}` : '';
  return [
    `${title}  ${status.status}${reasons}`,
    ...table(
      ['loop', 'alive', 'last beat', 'restarts', 'last error'],
      status.loops.map((loop) => loopRow(loop, now)),
    ),
    ...table(['board', 'head', 'relayed', 'position', 'subscribers'], status.boards.map(boardRow)),
    ...table(
      ['queue', 'depth'],
      Object.entries(status.queues).map(([name, depth]) => [name, String(depth)]),
    ),
  ].join('\n');
}

function loopRow({ name, alive, lastBeatAt, restarts, lastError }: LoopStatus, now: number): string[] {
  const beat = lastBeatAt === null ? 'never' : `${((now - Date.parse(lastBeatAt)) / 1000).toFixed(1)} s ago`;
  return [name, alive ? 'yes' : 'NO', beat, String(restarts), lastError ?? ''];
}

function boardRow({ board, head, relayed, position, subscribers }: ServiceStatus['boards'][number]): string[] {
  return [board, ...[head, relayed, position, subscribers].map((value) => (value === undefined ? '-' : String(value)))];
}

function table(head: string[], rows: string[][]): string[] {
  if (rows.length === 0) return [];
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}
