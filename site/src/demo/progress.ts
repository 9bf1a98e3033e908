import process from 'node:process';
import cliProgress from 'cli-progress';

export interface Progress {
  update(counts: { accepted: number; followed: number }): void;
  stop(): void;
}

const lineEveryMs = 5_000;

/** A bar on a terminal; elsewhere a line every few seconds. */
export function showProgress(total: number, out: NodeJS.WriteStream): Progress {
  return out.isTTY ? bar(total, out) : lines(total, out);
}

function bar(total: number, out: NodeJS.WriteStream): Progress {
  const shown = new cliProgress.SingleBar({
    stream: out,
    format: '  {bar} {percentage} % | {value} of {total} accepted | follower has {followed} | {duration_formatted}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
  });
  shown.start(total, 0, { followed: 0 });
  // Interrupted, the terminal must get its cursor back.
  const stop = (): void => shown.stop();
  process.once('exit', stop);
  return {
    update: ({ accepted, followed }) => shown.update(accepted, { followed }),
    stop: () => {
      process.off('exit', stop);
      stop();
    },
  };
}

function lines(total: number, out: NodeJS.WriteStream): Progress {
  let lastAt = performance.now();
  return {
    update: ({ accepted, followed }) => {
      if (performance.now() - lastAt < lineEveryMs) return;
      lastAt = performance.now();
      out.write(`  ${accepted} of ${total} accepted, follower has ${followed}\n`);
    },
    stop: () => undefined,
  };
}
