import { federationErrorCodes } from '@boardwire/contracts';
import { Broken, expectEqual, NotApplicable, type Rule } from '../rule.ts';
import { boundRules } from './bound-rules.ts';
import { forkRules } from './fork-rules.ts';
import { handshakeRules } from './handshake-rules.ts';
import { hopRules } from './hop-rules.ts';
import { pushRules } from './push-rules.ts';
import { roomRules } from './room-rules.ts';
import { streamRules } from './stream-rules.ts';
import { witnessRules } from './witness-rules.ts';

/** What only the site's own operator could bring about. */
const outOfReach = ['unavailable'];

/** Over all that was answered before. */
const lastRules: Rule[] = [
  {
    name: 'answers.signed',
    says: 'every answer to a proven request, be it a refusal, is signed for that request alone',
    check({ seen: { unproven } }) {
      if (unproven.length > 0) return Promise.reject(new Broken(`${unproven.length} answers; ${unproven[0]}`));
      return Promise.resolve();
    },
  },
  {
    name: 'refusals.all_codes',
    says: 'every code that another site can bring about was seen, with its status and its shape',
    check({ seen: { codes } }) {
      const missing = federationErrorCodes.filter((code) => !codes.has(code) && !outOfReach.includes(code));
      if (codes.size === 0) return Promise.reject(new NotApplicable('nothing was refused'));
      expectEqual(missing, [], 'codes that were not seen');
      return Promise.resolve();
    },
  },
];

/** In the order in which they are tried: later ones may leave a site suspended or frozen. */
export const allRules: readonly Rule[] = [
  ...handshakeRules,
  ...hopRules,
  ...roomRules,
  ...pushRules,
  ...streamRules,
  ...witnessRules,
  ...boundRules,
  ...forkRules,
  ...lastRules,
];

/** Those whose name begins with one of these; all without any. */
export function rulesNamed(only: readonly string[]): Rule[] {
  return allRules.filter(({ name }) => only.length === 0 || only.some((start) => name.startsWith(start)));
}
