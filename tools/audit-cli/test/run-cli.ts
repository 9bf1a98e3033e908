import { runCommandLine } from '../src/run-command-line.ts';

export interface Told {
  code: number;
  out: string;
  err: string;
}

/** Runs the command line in this process. */
export async function cli(...args: string[]): Promise<Told> {
  const told = { out: '', err: '' };
  const code = await runCommandLine(args, {
    out: (text) => void (told.out += text),
    err: (text) => void (told.err += text),
    isTerminal: false,
  });
  return { code, ...told };
}

/** What `--json` tells. */
export interface Verdict {
  command: string;
  verdict: 'verified' | 'refuted' | 'unknown';
  exit: number;
  reason: string;
  steps: { shown: string; by: string[] }[];
  not_shown: string[];
  evidence: string[];
}

export async function verdictOf(...args: string[]): Promise<Verdict> {
  const { out } = await cli(...args, '--json');
  return JSON.parse(out) as Verdict;
}
