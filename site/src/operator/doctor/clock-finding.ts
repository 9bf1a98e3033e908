import type { Finding } from '../report.ts';
import { finding, ok } from './check.ts';

/** Tokens and signatures between sites bear no more than some seconds. */
const skewMaxMs = 2_000;

/** @param aheadMs how far that clock is ahead of this machine's */
export function clockFinding(check: string, aheadMs: number): Finding {
  if (Math.abs(aheadMs) <= skewMaxMs) return ok(check, 'as this machine’s');
  const says = `${(Math.abs(aheadMs) / 1_000).toFixed(1)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine’s`;
  return finding(check, says, 'Let both machines keep their time by NTP (timedatectl, chronyc tracking).');
}
