import { runOperator } from '../../site/src/operator/run-operator.ts';

export interface OperatorRun {
  code: number;
  out: string;
  err: string;
}

/** The operator's command in this process, as main.ts runs it. */
export async function operate(args: readonly string[], env: Record<string, string> = {}): Promise<OperatorRun> {
  const run = { code: 0, out: '', err: '' };
  run.code = await runOperator(args, {
    env,
    output: { out: (text) => (run.out += text), err: (text) => (run.err += text), isTerminal: false },
    signal: new AbortController().signal,
  });
  return run;
}
