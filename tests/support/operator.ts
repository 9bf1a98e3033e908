import { Given } from '../../site/src/operator/command.ts';
import { checkMetaGroup } from '../../site/src/operator/doctor/check-meta-group.ts';
import { Report, type Finding } from '../../site/src/operator/report.ts';
import { runOperator } from '../../site/src/operator/run-operator.ts';
import type { TestSite } from './test-site.ts';

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

export interface Diagnosis {
  code: number;
  findings: Finding[];
  /** As it was printed. */
  text: string;
}

/** The settings of the network are the shell's, which sites and the command share. */
const loopback = {
  FEDERATION_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128',
  FEDERATION_ALLOWED_HTTP_HOSTS: 'localhost,127.0.0.1',
};

export async function doctor({ site }: TestSite, ...args: string[]): Promise<Diagnosis> {
  const { code, out, err } = await operate(['doctor', '--data', site.dataDir, '--json', ...args], loopback);
  if (err !== '') throw new Error(err);
  return { code, text: out, findings: (JSON.parse(out) as Diagnosis).findings };
}

export const bad = ({ findings }: Diagnosis): Finding[] => findings.filter(({ verdict }) => verdict === 'finding');

/** What the doctor finds in the group of NATS servers that places streams, by the monitoring of these. */
export function metaGroupOf(monitors: readonly string[]): Promise<Finding[]> {
  const report = new Report({ out: () => undefined, err: () => undefined, isTerminal: false }, true);
  const { signal } = new AbortController();
  return checkMetaGroup(new Given({ 'nats-monitor': [...monitors] }, { envOf: () => ({}) }, report, signal));
}
