import { isAlarm, type Judgement } from './judge-growth.ts';
import type { LogTrust } from './log-watch.ts';
import type { Step, Verdict } from './verify-entry.ts';

/** The last step: that the log which vouches for the entry is the one that this browser has known. */
export function growthStep({ judgement, failure }: LogTrust): Step {
  const title = 'Consistency with the checkpoint this browser saw last (RFC 6962)';
  if (judgement === undefined) {
    return { title, verdict: 'unknown', finding: failure ?? 'No checkpoint could be read.', values: [] };
  }
  const { finding, size, seenSize } = judgement;
  return {
    title,
    verdict: verdictOf(judgement),
    finding,
    values: [
      ...(seenSize === undefined ? [] : [{ name: 'seen before', value: `${seenSize} entries` }]),
      { name: 'now', value: `${size} entries` },
    ],
  };
}

function verdictOf({ state }: Judgement): Verdict {
  if (isAlarm(state)) return 'wrong';
  return state === 'same' || state === 'grown' || state === 'first' ? 'right' : 'unknown';
}
