import { rebuildMirror, type RebuiltBoard } from '@boardwire/chat/operator';
import type { Given } from '../command.ts';

const tellEveryMs = 500;

/** Publishes boards into the stream again and tells how far it is. */
export async function putIntoMirror(
  { settings, report, signal }: Given,
  { board, isDryRun }: { board?: string; isDryRun: boolean },
): Promise<void> {
  let toldMs = Number.NEGATIVE_INFINITY;
  const boards = await rebuildMirror(settings.envOf('chat'), {
    ...(board === undefined ? {} : { board }),
    isDryRun,
    signal,
    onProgress: ({ published, events }) => {
      if (performance.now() - toldMs < tellEveryMs) return;
      toldMs = performance.now();
      report.progress(`${published} of ${events} events`);
    },
  });
  report.fact('boards', boards);
  for (const one of boards) report.add({ check: one.board, verdict: 'ok', says: sayingOf(one, isDryRun) });
  if (!signal.aborted) return;
  const mend = 'Where chat runs it goes on by itself. Else give the command again; nothing is lost by that.';
  report.add({ check: 'stream', verdict: 'finding', says: 'interrupted before everything was published', mend });
}

function sayingOf({ after, head }: RebuiltBoard, isDryRun: boolean): string {
  const events = head - after;
  const which = events === 0 ? 'nothing' : `${events} events, ${after + 1} to ${head}`;
  return isDryRun ? `would publish ${which}` : `${which} in the stream`;
}
