import type { Kit } from './kit.ts';
import { Broken, NotApplicable, type Rule } from './rule.ts';

export type Outcome = 'passed' | 'failed' | 'not_applicable';

export interface Verdict {
  rule: string;
  says: string;
  outcome: Outcome;
  /** Why it failed, or why nothing can be said. */
  detail?: string;
  ms: number;
}

const ruleMs = 60_000;

/** One rule after the other, each with a verdict of its own. */
export async function runRules(
  rules: readonly Rule[],
  kit: Kit,
  onVerdict: (verdict: Verdict) => void = () => undefined,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const rule of rules) {
    // oxlint-disable-next-line no-await-in-loop -- they share the sites
    const verdict = await judged(rule, kit);
    verdicts.push(verdict);
    onVerdict(verdict);
  }
  return verdicts;
}

async function judged(rule: Rule, kit: Kit): Promise<Verdict> {
  const from = performance.now();
  const { name, says } = rule;
  const of = (outcome: Outcome, detail?: string): Verdict => ({
    rule: name,
    says,
    outcome,
    ...(detail === undefined ? {} : { detail }),
    ms: Math.round(performance.now() - from),
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Broken(`no end within ${ruleMs / 1_000} s`)), ruleMs);
  });
  try {
    await Promise.race([rule.check(kit), late]);
    return of('passed');
  } catch (error) {
    if (error instanceof NotApplicable) return of('not_applicable', error.message);
    return of('failed', error instanceof Error ? error.message : String(error));
  } finally {
    clearTimeout(timer);
  }
}
