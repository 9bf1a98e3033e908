import { rotateTokenKey, type TokenKeys } from '@boardwire/chat/operator';
import {
  rotatedUses,
  rotateKeys as rotateSiteKeys,
  type KeysOfSite,
  type KnownKey,
} from '@boardwire/federation/operator';
import type { Command, Given } from '../command.ts';
import { Misuse } from '../misuse.ts';

const uses = [...rotatedUses, 'token'] as const;
type Use = (typeof uses)[number];

const secondMs = 1_000;
const dayMs = 86_400_000;
const signAfterS = { usual: 120, max: 7 * 86_400 };

export const rotateKeys: Command = {
  name: 'rotate-keys',
  summary: 'gives the site new signing keys, and everybody time to learn of them',
  options: {
    use: { type: 'string', value: uses.join('|'), isRepeated: true, says: 'which key is made anew; none by itself' },
    'sign-after': {
      type: 'string',
      value: 'seconds',
      says: `so long a new key is known before it signs, and a former hop key passes after; default ${signAfterS.usual}`,
    },
    'dry-run': { type: 'boolean', says: 'says which keys there are and what would be done, and does nothing' },
  },
  explains: `The hop key signs what this site says to another one, the event key each event of its feeds, the token key the access tokens of its
people. A new hop or event key stands in a newer site document at once and signs after a while, so that every replica and every site
that is reached knows it before it is used; a token key likewise among the keys that verify tokens. Running services follow by themselves
within seconds; nothing is restarted. A former hop key passes nowhere when the document names it no more. A former event key stays in it
for ever: what it has signed must be verifiable, for sites that come later too. Tokens of a former token key verify until they expire.
For a key that somebody else may have, --sign-after 0: the new one signs now, a former hop key is withdrawn, and so are the tokens that a
former token key has signed; what is under way is refused and repeated. The root key is what the site's id is made of, and stays. The
site's keys are made in one transaction, the token key in another. Back up the database afterwards: what is older lacks the new keys.`,
  examples: [
    'boardwire rotate-keys --dry-run',
    'boardwire rotate-keys --use hop --use event',
    'boardwire rotate-keys --use hop --sign-after 0 --env-file production.env',
  ],
  async run(given: Given) {
    const wanted = new Set(given.all('use').map(useOf));
    const isDryRun = given.has('dry-run');
    if (wanted.size === 0 && !isDryRun) throw new Misuse(`--use is needed: ${uses.join(', ')}`);
    const signAfterMs = secondsIn(given.text('sign-after')) * secondMs;
    await ofSite(given, { wanted, signAfterMs, isDryRun });
    await ofTokens(given, { wanted, signAfterMs, isDryRun });
  },
};

const elsewhere: Readonly<Record<string, string>> = {
  root: 'the site’s id is made of it, so it can’t be replaced',
  checkpoint: 'the audit log and its witnesses are known by their keys, which can’t be replaced in this version',
};

function useOf(text: string): Use {
  const use = uses.find((known) => known === text);
  if (use === undefined)
    throw new Misuse(`--use ${text}: ${elsewhere[text] ?? 'no such key'}. One of ${uses.join(', ')}`);
  return use;
}

function secondsIn(text: string | undefined): number {
  if (text === undefined) return signAfterS.usual;
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : Infinity;
  if (seconds > signAfterS.max) throw new Misuse(`--sign-after ${text}: seconds, from 0 to ${signAfterS.max}`);
  return seconds;
}

interface Wanted {
  wanted: ReadonlySet<Use>;
  signAfterMs: number;
  isDryRun: boolean;
}

async function ofSite({ settings, report, signal }: Given, { wanted, ...how }: Wanted): Promise<void> {
  const siteUses = rotatedUses.filter((use) => wanted.has(use));
  if (siteUses.length === 0 && !how.isDryRun) return;
  const { keys, rotated } = await rotateSiteKeys(settings.envOf('federation'), { uses: siteUses, signal, ...how });
  report.fact('keys', keys);
  if (rotated !== undefined) return tellSite(report, rotated, how.signAfterMs);
  if (keys.length === 0) throw new Error('the site has no keys yet: federation makes them when it first starts');
  for (const key of keys) report.add({ check: `${key.use} ${key.kid}`, verdict: 'ok', says: stateOf(key) });
  for (const use of siteUses) {
    tellPlan(report, use, { next: keys.find((key) => key.use === use && key.state === 'next'), ...how });
  }
}

async function ofTokens({ settings, report, signal }: Given, { wanted, ...how }: Wanted): Promise<void> {
  if (!wanted.has('token') && !how.isDryRun) return;
  const { keys, rotated } = await rotateTokenKey(settings.envOf('chat'), { signal, ...how });
  report.fact('tokenKeys', keys);
  if (rotated !== undefined) return tellTokens(report, rotated, how.signAfterMs);
  for (const { kid, signsFrom, ...key } of keys) {
    report.add({ check: `token ${kid}`, verdict: 'ok', says: stateOf({ ...key, changesAt: signsFrom }) });
  }
  if (wanted.has('token')) tellPlan(report, 'token', { next: keys.find(({ state }) => state === 'next'), ...how });
}

type Report = Given['report'];

function tellPlan(report: Report, use: Use, plan: { next: { kid: string } | undefined; signAfterMs: number }): void {
  const { next, signAfterMs } = plan;
  const would = `would get a new key, which signs ${signAfterMs / secondMs} s later`;
  if (next === undefined) return report.add({ check: use, verdict: 'ok', says: would });
  const mend = 'Wait until it signs; above stands when.';
  report.add({ check: use, verdict: 'finding', says: `a new key waits already: ${next.kid}`, mend });
}

function stateOf({ state, madeAt, changesAt }: Pick<KnownKey, 'state' | 'madeAt' | 'changesAt'>): string {
  const days = Math.floor((Date.now() - madeAt.getTime()) / dayMs);
  const made = `made ${days === 1 ? 'a day' : `${days} days`} ago`;
  if (state === 'next') return `${made}, signs from ${changesAt!.toISOString()}`;
  if (state === 'in_force') return `${made}, in force`;
  return state === 'leaving'
    ? `${made}, signs no more, passes until ${changesAt!.toISOString()}`
    : `${made}, signs no more`;
}

function tellSite(report: Report, rotated: NonNullable<KeysOfSite['rotated']>, signAfterMs: number): void {
  const { documentVersion, rotations } = rotated;
  report.fact('rotated', rotated);
  for (const { use, from, to, signsFrom } of rotations) {
    const until = new Date(signsFrom.getTime() + signAfterMs).toISOString();
    const passes = signAfterMs === 0 ? 'passes no more' : `passes until ${until}`;
    const former = use === 'event' ? 'stays in it for what it has signed' : passes;
    const says = `${to} is in the site’s document and ${signing(signsFrom, signAfterMs)}; ${from} ${former}`;
    report.add({ check: use, verdict: 'ok', says });
  }
  const says = `version ${documentVersion}; running services take it up within seconds, one that is stopped when it starts`;
  report.add({ check: 'site document', verdict: 'ok', says });
}

function tellTokens(report: Report, rotated: NonNullable<TokenKeys['rotated']>, signAfterMs: number): void {
  const { from, to, signsFrom } = rotated;
  report.fact('rotatedToken', rotated);
  const former = signAfterMs === 0 ? 'verify no more' : 'verify until they expire';
  const says = `${to} ${signing(signsFrom, signAfterMs)}; tokens of ${from} ${former}`;
  report.add({ check: 'token', verdict: 'ok', says });
}

const signing = (from: Date, afterMs: number) => (afterMs === 0 ? 'signs now' : `signs from ${from.toISOString()}`);
