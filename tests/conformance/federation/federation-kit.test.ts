import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeInvitation, type InviteAnswer, type StreamFrame } from '@boardwire/contracts';
import { openDatabase } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import { testFolder } from '@boardwire/test-kit';
import { HopSigner } from '../../../services/federation/src/hop/hop-signer.ts';
import { KeyVault } from '../../../services/federation/src/identity/key-vault.ts';
import { loadSiteIdentity } from '../../../services/federation/src/identity/site-identity.ts';
import { asAdmin, share, startFederatedSite } from '../../support/federation.ts';
import { say, signInAsGuest } from '../../support/person.ts';
import type { TestSite } from '../../support/test-site.ts';
import { BrokenSite, type Damage } from './broken-site.ts';
import { Kit, type Guest } from './src/kit.ts';
import type { Report } from './src/report.ts';
import { allRules, rulesNamed } from './src/rules/all-rules.ts';
import { runCommandLine } from './src/run-command-line.ts';
import { runRules, type Verdict } from './src/run-rules.ts';
import { ForeignSite } from './src/sites/foreign-site.ts';
import { roleNames, roles, type Role } from './src/sites/roles.ts';
import { findTarget } from './src/target.ts';

const secret = 'that seals the keys of a test site';

let site: TestSite;
let room: string;
let broken: BrokenSite;
let brokenUrl: string;

beforeAll(async () => {
  site = await startFederatedSite('Under test', { env: { FEDERATION_HEARTBEAT_MS: '700', INTERNAL_SECRET: secret } });
  room = await share(site, ['AxonChat.>']);
  const ana = await signInAsGuest(site.url, 'ana');
  for (let n = 0; n < 3; n += 1) await say(site.url, ana, `hello ${n}`);
  broken = new BrokenSite(site.url, await signerOf(site));
  brokenUrl = await broken.start();
}, 60_000);
afterAll(async () => {
  broken?.close();
  await site?.stop();
}, 30_000);

/** With the site's own hop key: what it signs is the site's word. */
async function signerOf({ infrastructure }: TestSite): Promise<HopSigner> {
  const logger = createLogger({ service: 'test', level: 'silent' });
  const { url } = infrastructure.postgres;
  const database = await openDatabase({ url, schema: 'federation', migrations: [], logger });
  const description = { name: 'Under test', endpoints: [] };
  const { siteId, keys } = await loadSiteIdentity(database, new KeyVault([secret]), description);
  await database.close();
  return new HopSigner({ site: siteId, keyId: keys.hop.keyId, key: keys.hop.key });
}

async function inviteFor(id: string, role: Role): Promise<string> {
  const json = { room, site: id, scopes: roles[role].scopes };
  return (await asAdmin<InviteAnswer>(site, '/invitations', { method: 'POST', json })).invitation;
}

async function verdicts(url: string, only: readonly string[], wanted: readonly Role[]): Promise<Verdict[]> {
  const guests = new Map<Role, Guest>();
  for (const role of wanted) {
    const stranger = new ForeignSite(room);
    const invitation = decodeInvitation(await inviteFor(stranger.id, role))!;
    guests.set(role, { site: stranger, invitation });
  }
  const kit = new Kit({ target: await findTarget(url), guests, confirmMs: 0, tell: () => undefined });
  return runRules(rulesNamed(only), kit);
}

const failedOf = (all: readonly Verdict[]) => all.filter(({ outcome }) => outcome === 'failed').map(({ rule }) => rule);

test('a site of ours keeps every rule', async () => {
  const all = await verdicts(site.url, [], roleNames);
  expect(all.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
  expect(all).toHaveLength(allRules.length);
}, 90_000);

describe('a site that is broken fails by the name of the rule:', () => {
  const isOf = (frame: StreamFrame, oseq: number) =>
    frame.t === 'ev' && Buffer.from(frame.item.h, 'base64url').toString().includes(`"oseq":${oseq},`);
  const without = (name: string) => (json: Record<string, unknown>) => ({ ...json, [name]: undefined });
  const on = (end: string, change: (json: never) => unknown): Damage => ({
    answer: (path, json, status) => (status === 200 && path.includes(end) ? change(json) : undefined),
  });
  const refusing = (code: string, told: string): Damage => ({
    answer: (_path, json: Record<string, unknown>) => (json['code'] === code ? { ...json, code: told } : undefined),
  });

  test.each<[rule: string, how: string, damage: Damage]>([
    ['push.accepted', 'the vector is missing', on('/events', without('vector'))],
    [
      'push.gap',
      'what is expected is missing',
      on('/events', ({ outcomes, ...more }: { outcomes: { expected?: number }[] }) => ({
        ...more,
        outcomes: outcomes.map(({ expected: _, ...outcome }) => outcome),
      })),
    ],
    [
      'stream.order',
      'an event of a stream is lost',
      { line: (frame: StreamFrame) => (isOf(frame, 3) ? undefined : frame) },
    ],
    [
      'stream.resume',
      'an event comes twice',
      {
        line: (frame: StreamFrame) =>
          isOf(frame, 4) ? { ...frame, item: { ...(frame as never as { item: object }).item, h: 'e30' } } : frame,
      },
    ],
    ['stream.hello', 'members come late', { line: (frame: StreamFrame) => (frame.t === 'member' ? undefined : frame) }],
    [
      'stream.heartbeat',
      'a heartbeat claims less',
      { line: (frame: StreamFrame) => (frame.t === 'hb' ? { ...frame, vector: {} } : frame) },
    ],
    [
      'backfill.pages',
      'a page has a hole',
      on('/feeds/', ({ items, n }: { items: object[]; n: number }) => ({ items: items.slice(1), n })),
    ],
    [
      'reconcile.range',
      'a hash is another one',
      on('/reconcile', ({ hashes }: { hashes: string[] }) => ({ hashes: hashes.toReversed() })),
    ],
    [
      'witness.cosigns',
      'a log that grew is not cosigned',
      on('/add-checkpoint', (answer: object) => ({ ...answer, cosignature: null })),
    ],
    ['hop.missing_part', 'a refusal has another code', refusing('sig_missing', 'sig_invalid')],
    ['room.unknown_or_forbidden', 'a refusal has no code', refusing('room_unknown', 'nowhere')],
    ['answers.signed', 'answers are not signed', { headers: (headers) => delete headers['signature'] }],
  ])('%s: %s', async (rule, _how, damage) => {
    const tried = [rule, ...(rule === 'answers.signed' ? ['hop.good', 'push.accepted'] : [])];
    broken.damage = damage;
    const all = await verdicts(brokenUrl, tried, ['first', 'second']);
    expect(failedOf(all)).toEqual([rule]);
  });
});

test('the command makes its sites, says what failed, and ends with what came of it', async () => {
  const folder = await testFolder();
  const [file, json] = [join(folder, 'sites.json'), join(folder, 'report.json')];
  const said: string[] = [];
  const terminal = { out: (text: string) => void said.push(text), err: (text: string) => void said.push(text) };
  const run = (...args: string[]) => runCommandLine(args, { BOARDWIRE_CONFORMANCE_URL: brokenUrl }, terminal);
  expect(await run('--help')).toBe(0);
  expect(said.join('')).toContain('--sites FILE');
  expect(await run('--new-sites', file)).toBe(0);
  const sites = JSON.parse(readFileSync(file, 'utf8')) as { role: Role; site: string; invitation: string }[];
  const first = sites.find(({ role }) => role === 'first')!;
  first.invitation = await inviteFor(first.site, 'first');
  writeFileSync(file, JSON.stringify(sites));
  broken.damage = { answer: (_path, answer: object) => ('vector' in answer ? { ...answer, vector: {} } : undefined) };
  const only = ['--only', 'push.accepted', '--only', 'push.relayed', '--only', 'hop.good'];
  expect(await run('--sites', file, '--json', json, ...only)).toBe(1);
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
  expect(report).toMatchObject({ passed: 1, failed: 1, notApplicable: 1 });
  expect(Object.fromEntries(report.rules.map(({ rule, outcome }) => [rule, outcome]))).toEqual({
    'hop.good': 'passed',
    'push.accepted': 'failed',
    'push.relayed': 'not_applicable',
  });
  expect(said.join('')).toMatch(/✘ push\.accepted .*\n +the vector/);
  broken.damage = {};
  expect(await run('--only', 'hop.good', '--sites', file)).toBe(0);
  expect(await run('--url', 'http://127.0.0.1:9')).toBe(2);
  expect(await run('--only', 'nothing')).toBe(2);
  expect(await run('--only', 'hop.good', '--confirm', 'soon')).toBe(2);
  await rm(folder, { recursive: true });
});
