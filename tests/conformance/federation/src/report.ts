import type { FederationErrorCode } from '@boardwire/contracts';
import type { Outcome, Verdict } from './run-rules.ts';

/** What machines read. */
export interface Report {
  kit: 'boardwire-federation-conformance/1';
  url: string;
  /** Undefined where nobody has proven who it is. */
  site?: string;
  at: string;
  passed: number;
  failed: number;
  notApplicable: number;
  /** Refusals that the site was seen to give as the table has them. */
  codesSeen: FederationErrorCode[];
  rules: Verdict[];
}

export function reportOf(
  verdicts: readonly Verdict[],
  { url, site, codesSeen }: { url: string; site?: string; codesSeen: Iterable<FederationErrorCode> },
): Report {
  const count = (wanted: Outcome) => verdicts.filter(({ outcome }) => outcome === wanted).length;
  return {
    kit: 'boardwire-federation-conformance/1',
    url,
    ...(site === undefined ? {} : { site }),
    at: new Date().toISOString(),
    passed: count('passed'),
    failed: count('failed'),
    notApplicable: count('not_applicable'),
    codesSeen: [...codesSeen].toSorted(),
    rules: [...verdicts],
  };
}

const marks: Record<Outcome, string> = { passed: '✔', failed: '✘', not_applicable: '–' };

export function lineOf({ rule, says, outcome, detail }: Verdict): string {
  const told = detail === undefined ? '' : `\n      ${detail}`;
  return `  ${marks[outcome]} ${rule}  ${says}${told}\n`;
}

export function summaryOf({ passed, failed, notApplicable }: Report): string {
  return `\n${passed} passed, ${failed} failed, ${notApplicable} not applicable\n`;
}
