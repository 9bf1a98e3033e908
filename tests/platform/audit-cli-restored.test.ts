import { copyFile, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AuditHealth } from '@boardwire/contracts';
import { ServiceTokens } from '@boardwire/service-kit';
import { eventually } from '@boardwire/test-kit';
import { Auditor } from '../support/auditor.ts';
import { call, say, signInAsGuest } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';

let site: TestSite;
let auditor: Auditor;
beforeAll(async () => {
  site = await startTestSite();
  auditor = await Auditor.of(site.url, (await site.admin()).token);
}, 60_000);
afterAll(async () => {
  await auditor?.leaves();
  await site?.stop();
}, 30_000);

test('after a restore the log goes on in a new epoch, and an auditor follows it from what they kept', async () => {
  const ana = await signInAsGuest(site.url, 'ana');
  for (let at = 0; at < 10; at += 1) await say(site.url, ana, `before ${at}`);
  const { token } = await site.admin();
  const health = async () => (await call<AuditHealth>(`${site.url}/v1/audit/health`, { token })).body;
  expect(await auditor.fetches(['--entries'])).toMatchObject({ code: 0, err: '' });
  await copyFile(auditor.at('log', 'checkpoint'), auditor.at('kept'));
  const { epoch: former } = await health();

  const operator = await new ServiceTokens('operator', site.site.internalSecret).issue('audit');
  const told = await fetch(`${site.internalUrl('audit')}/internal/v1/restored`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operator}` },
  });
  expect(told.status).toBe(204);
  await eventually(async () => expect((await health()).epoch).not.toBe(former), { timeoutMs: 20_000 });
  await eventually(async () => expect((await health()).checkpoint).not.toBeNull(), { timeoutMs: 20_000 });
  await say(site.url, ana, 'after');
  const first = String((await health()).first_seq);

  const again = await auditor.fetches(['--entries', '--entry', first]);
  expect(again).toMatchObject({ code: 0, err: '' });
  const aside = ['log', 'former', former];
  expect(again.out).toContain(auditor.at(...aside));
  expect(await readFile(auditor.at(...aside, 'checkpoint'), 'utf8')).toBe(await readFile(auditor.at('kept'), 'utf8'));
  expect(await auditor.run('verify', 'complete', ...auditor.tiled(), '--first-seq', first)).toMatchObject({
    code: 0,
    err: '',
  });

  // The former epoch went on for a moment after it was fetched: its last checkpoint and its tiles are there by its name.
  expect(await auditor.fetches(['--tiles', '--epoch', former], aside.join('/'))).toMatchObject({ code: 0, err: '' });
  const entry = auditor.at('log', 'entries', first);
  const change = await auditor.run(
    'verify',
    'consistency',
    auditor.at('kept'),
    auditor.at('log', 'checkpoint'),
    ...auditor.key(),
    '--epoch-entry',
    `${entry}.json`,
    '--epoch-proof',
    `${entry}.tlog-proof`,
    '--tiles',
    auditor.at(...aside),
  );
  expect(change).toMatchObject({ code: 0, err: '' });
  expect(change.out).toContain('goes on from a log that begins with');
}, 120_000);
