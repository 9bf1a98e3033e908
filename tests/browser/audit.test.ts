import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditPage } from '@boardwire/contracts';
import { eventually } from '@boardwire/test-kit';
import { readFile } from 'node:fs/promises';
import type { Locator } from 'playwright-core';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';
import { AuditDesk, type AuditorPerson } from './support/audit-desk.ts';
import { ConsoleBrowser } from './support/console-browser.ts';
import { findChromium } from './support/find-chromium.ts';

const chromium = findChromium();
const loginsCount = 130;
const pageSize = 100;

(chromium === undefined ? describe.skip : describe)('the audit explorer', () => {
  let site: TestSite;
  let browser: ConsoleBrowser;
  let desk: AuditDesk;
  let ben: Person;

  beforeAll(async () => {
    site = await startTestSite({ mode: 'processes' });
    browser = await ConsoleBrowser.launch(chromium!, site.url);
    desk = new AuditDesk(site, browser);
    ben = await signInAsGuest(site.url, 'ben');
    await say(site.url, ben, 'Audited words');
    await desk.createAuditor('Ada');
    await desk.report(
      Array.from({ length: loginsCount }, (_, at) => ({
        action: 'desk.check',
        actor: at % 2 === 0 ? 'mallory' : 'trent',
        outcome: at % 10 === 0 ? ('refused' as const) : ('done' as const),
        at: new Date(Date.UTC(2026, 2, 1 + (at % 3) * 2, 12, 0, at)).toISOString(),
        detail: { attempt: at, reason: `reason ${at}` },
      })),
    );
    await desk.report([
      {
        action: 'trading.decision',
        actor: 'agent-7',
        trace: 'ab'.repeat(16),
        detail: {
          trader_id: 'agent-7',
          symbol: 'BTC-EUR',
          forced_hold: true,
          data_readiness: { level: 'WARN', reasons: ['stale prices'] },
          cycle_number: 12,
        },
      },
      {
        action: 'account.change',
        actor: 'u-admin',
        trace: 'ab'.repeat(16),
        detail: {
          account: 'u-eve',
          before: { roles: ['user'], disabled: false },
          after: { roles: ['user', 'auditor'], disabled: false },
        },
      },
    ]);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await site?.stop();
  }, 30_000);

  const desksOwn = '/audit?action=desk.check';

  test('is for auditors: others have no way to it, and are refused when they try', async () => {
    const guest = await browser.enter('gast');
    expect(await guest.page.getByRole('link', { name: 'Audit' }).count()).toBe(0);
    await guest.page.goto(`${site.url}/audit`);
    await guest.page.getByRole('alert').getByText('The audit log is not open to this account').waitFor();
    await browser.keepScreen(guest.page, 'audit-refused');

    const ada = await desk.enter('Ada', '/');
    await ada.page.getByRole('link', { name: 'Audit' }).click();
    await ada.rows.first().waitFor();
    expect(await ada.page.title()).toBe('Audit · Boardwire');
  });

  test('lists the newest first and loads what is older, each entry once', async () => {
    const ada = await desk.enter('Ada', desksOwn);
    await ada.seesRows(pageSize);
    await browser.keepScreen(ada.page, 'audit-list-light');
    await ada.page.getByRole('button', { name: 'Load older entries' }).click();
    const seqs = await ada.seesRows(loginsCount);
    expect(seqs).toEqual([...new Set(seqs)].toSorted((one, other) => other - one));
    await ada.page.getByText('No older entry matches.').waitFor();
    await ada.page.getByRole('button', { name: 'Newest first' }).click();
    await eventually(async () => expect((await ada.seqs())[0]).toBe(seqs.at(-1)));
    expect(ada.query().get('order')).toBe('oldest');
  });

  test('keeps what is chosen in the address: back, forward, and a copied link', async () => {
    const ada = await desk.enter('Ada', desksOwn);
    await ada.seesRows(pageSize);
    await ada.facet('Outcome', 'refused').click();
    await ada.seesRows(13);
    await ada.facet('Actor', 'mallory').click();
    const narrowed = 'actor=mallory&action=desk.check&outcome=refused';
    await eventually(async () => expect(ada.query().toString()).toBe(narrowed));
    const shown = await ada.seesRows(13);
    const link = new URL(ada.page.url());

    await ada.page.goBack();
    await ada.page.goBack();
    await ada.seesRows(pageSize);
    await ada.page.goForward();
    await ada.seesRows(13);
    expect(ada.query().getAll('actor')).toEqual([]);

    const other = await desk.enter('Ada', link.pathname + link.search);
    expect(await other.seesRows(13)).toEqual(shown);
    await other.page.getByRole('button', { name: 'Remove the condition Outcome refused' }).click();
    await other.seesRows(65);
    await other.page.getByRole('button', { name: 'Clear all' }).click();
    await eventually(async () => expect(other.query().toString()).toBe(''));
  });

  test('counts what entries have in common, and narrows by a click', async () => {
    const ada = await desk.enter('Ada', desksOwn);
    await ada.page.getByText(`${loginsCount} entries`).waitFor();
    await ada.facet('Actor', 'trent').click();
    await ada.page.getByText('65 entries', { exact: true }).waitFor();
    expect(await ada.facet('Actor', 'trent').getAttribute('aria-pressed')).toBe('true');
    await ada.facet('Actor', 'trent').click();
    await ada.page.getByText(`${loginsCount} entries`).waitFor();
  });

  test('finds by every condition of the form, and by words', async () => {
    const ada = await desk.enter('Ada');
    await ada.page.getByRole('searchbox').fill('reason 117');
    await ada.page.keyboard.press('Enter');
    await ada.seesRows(1);
    expect(ada.query().get('q')).toBe('reason 117');
    await ada.page.getByRole('button', { name: 'Clear all' }).click();
    await ada.page.getByRole('button', { name: 'Filters' }).click();
    const form = ada.page.getByRole('form', { name: 'Filters' });
    await browser.keepScreen(ada.page, 'audit-filters');
    await form.getByLabel('Symbol').fill('btc');
    await form.getByLabel('Readiness').selectOption('WARN');
    await form.getByLabel('Forced hold').selectOption('yes');
    await form.getByRole('button', { name: 'Apply' }).click();
    await ada.seesRows(1);
    await ada.rows.getByText('trading.decision').waitFor();
    expect(ada.query().toString()).toBe('readiness=WARN&symbol=btc&forced_hold=true');
    await form.getByRole('combobox', { name: 'Trace' }).fill('not a trace');
    await form.getByRole('button', { name: 'Apply' }).click();
    await ada.page.getByRole('alert').getByText('The entries could not be read').waitFor();
    await browser.keepScreen(ada.page, 'audit-invalid');
  });

  test('picks a day by its count, an empty one too, with the keyboard', async () => {
    const ada = await desk.enter('Ada', desksOwn);
    await ada.seesRows(pageSize);
    await ada.page.goto(`${site.url}${desksOwn}&day=2026-03-03`);
    await ada.seesRows(43);
    await ada.page.getByRole('button', { name: 'Tue, 3 Mar 2026' }).click();
    const march = ada.page.getByRole('grid', { name: 'March 2026' });
    await march.getByRole('button', { name: /^Tuesday,? 3 March 2026, 43 entries$/ }).waitFor();
    await browser.keepScreen(ada.page, 'audit-days');
    await march.getByRole('button', { name: /^Tuesday,? 3 March 2026/ }).focus();
    await ada.page.keyboard.press('ArrowRight');
    await eventually(async () => expect(await ada.focused()).toMatch(/^Wednesday,? 4 March 2026, no entries/));
    await ada.page.keyboard.press('Enter');
    await ada.page.getByText('No entry matches').waitFor();
    await browser.keepScreen(ada.page, 'audit-empty');
    expect(ada.query().get('day')).toBe('2026-03-04');
    await ada.page.getByRole('button', { name: 'Day after' }).click();
    await ada.seesRows(43);
  });

  test('follows the log live, holds still while paused, and says how much came', async () => {
    const ada = await desk.enter('Ada', '/audit?action=desk.live');
    await ada.page.getByText('No entry matches').waitFor();
    await ada.page.getByRole('button', { name: 'Live', exact: true }).click();
    await ada.page.getByRole('status').getByText('Following the log').waitFor({ state: 'attached' });
    expect(ada.query().get('live')).toBe('1');
    await desk.report([{ action: 'desk.live', detail: { text: 'first' } }]);
    await ada.seesRows(1);
    await ada.page.getByRole('button', { name: 'Pause' }).click();
    await desk.report([
      { action: 'desk.live', detail: { text: 'second' } },
      { action: 'desk.other' },
      { action: 'desk.live', detail: { text: 'third' } },
    ]);
    await ada.page.getByRole('button', { name: 'Resume (2 arrived)' }).waitFor();
    expect(await ada.rows.count()).toBe(1);
    await browser.keepScreen(ada.page, 'audit-paused');
    await ada.page.getByRole('button', { name: /^Resume/ }).click();
    const seqs = await ada.seesRows(3);
    expect(seqs).toEqual(seqs.toSorted((one, other) => other - one));
  });

  test('opens an entry: its fields, its raw form, what stands beside it, and the same actor’s', async () => {
    const ada = await desk.enter('Ada', '/audit?action=account.change&actor=u-admin');
    await ada.rows.first().click();
    const changed = ada.drawer.getByRole('row', { name: /^roles/ });
    expect(await changed.innerText()).toContain('["user","auditor"]');
    const seq = Number(ada.query().get('entry'));
    const raw = JSON.parse(await ada.drawer.getByRole('region', { name: 'Raw JSON' }).locator('pre').innerText());
    expect(raw).toMatchObject({ seq, action: 'account.change', detail_state: 'held' });
    await browser.keepScreen(ada.page, 'audit-drawer-light');

    await ada.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await ada.drawer.getByRole('button', { name: 'Copy all' }).click();
    expect(JSON.parse(await ada.page.evaluate(() => navigator.clipboard.readText()))).toEqual(raw);

    await ada.drawer
      .getByRole('region', { name: 'Neighbours' })
      .getByText(String(seq - 1))
      .click();
    await ada.page
      .getByRole('complementary', { name: `Entry ${seq - 1}` })
      .getByText('BTC-EUR')
      .first()
      .waitFor();
    await ada.drawer.getByRole('button', { name: 'Same trace' }).click();
    await ada.seesRows(2);
    await ada.drawer.getByRole('button', { name: 'Same actor' }).click();
    await eventually(async () => expect(ada.query().get('actor')).toBe('agent-7'));
    await ada.seesRows(1);
  });

  test('leads from an entry to its event, and from an event to its entry', async () => {
    for (let at = 0; at < 60; at += 1) await say(site.url, ben, `later words ${at}`);
    const ada = await desk.enter('Ada', '/audit?q=Audited+words');
    await ada.rows.first().click();
    await ada.drawer.waitFor();
    const entry = ada.query().get('entry');
    await ada.drawer.getByRole('link', { name: 'In AxonChat' }).click();
    const message = ada.page.locator('[aria-current]').getByText('Audited words');
    await eventually(async () => expect(await isInView(message)).toBe(true));
    await browser.keepScreen(ada.page, 'audit-to-chat');
    await ada.page.goBack();
    await ada.drawer.getByRole('link', { name: 'In the live view' }).click();
    const event = ada.page.getByRole('log').locator('[aria-current="true"]');
    await event.getByText('Audited words').waitFor();
    await eventually(async () => expect(await isInView(event)).toBe(true));
    await event.click();
    await browser.keepScreen(ada.page, 'audit-to-live-view');
    await ada.page.getByRole('link', { name: 'Audit entry' }).click();
    await eventually(async () => expect(ada.query().get('entry')).toBe(entry));
    await ada.drawer.getByText('Audited words').first().waitFor();
  });

  test.each(['jsonl', 'csv'] as const)('downloads exactly what matches, as %s', async (format) => {
    const ada = await desk.enter('Ada', `${desksOwn}&outcome=refused`);
    const seqs = await ada.seesRows(13);
    const arriving = ada.page.waitForEvent('download');
    await ada.page.getByRole('button', { name: 'Download' }).click();
    await ada.page.getByRole('menuitem', { name: format === 'csv' ? 'CSV' : 'JSON lines' }).click();
    const file = await arriving;
    expect(file.suggestedFilename()).toMatch(new RegExp(`^audit-.*\\.${format}$`));
    const text = await readFile(await file.path(), 'utf8');
    await ada.page
      .getByRole('status')
      .getByText(/saved as/i)
      .waitFor();
    const lines = text.trimEnd().split(/\r?\n/);
    const found = format === 'csv' ? lines.slice(1) : lines.slice(0, -1);
    const seqOf = (line: string) =>
      format === 'csv' ? Number(line.split(',')[0]) : (JSON.parse(line) as { seq: number }).seq;
    expect(found.map(seqOf)).toEqual(seqs);
  });

  test('works with a keyboard alone', async () => {
    const ada = await desk.enter('Ada', desksOwn);
    const seqs = await ada.seesRows(pageSize);
    await ada.rows.first().focus();
    await ada.page.keyboard.press('ArrowDown');
    await ada.page.keyboard.press('ArrowDown');
    expect(await ada.focused()).toBe(String(seqs[2]));
    await ada.page.keyboard.press('Enter');
    await ada.drawer.waitFor();
    expect(await ada.focused()).toContain(`entry ${seqs[2]}`);
    await ada.page.keyboard.press('Escape');
    await eventually(async () => expect(await ada.drawer.count()).toBe(0));
    expect(await ada.focused()).toBe(String(seqs[2]));
    await ada.page.keyboard.press('End');
    expect(await ada.focused()).toBe(String(seqs.at(-1)));
    await ada.page.keyboard.press('Tab');
    expect(await ada.focused()).toBe('Load older entries');
    await ada.page.keyboard.press('Shift+Tab');
    expect(await ada.focused()).toBe(String(seqs.at(-1)));
  });

  test.each(['light', 'dark'] as const)('keeps nobody out, in %s colours', async (colorScheme) => {
    const ada = await desk.enter('Ada', '/audit?actor=u-admin', { colorScheme });
    await ada.rows.first().click();
    await ada.drawer.getByRole('button', { name: 'Verify in this browser' }).click();
    await ada.drawer.getByText('Proven: this very record is in the log.').waitFor();
    await ada.drawer.getByRole('region', { name: 'Neighbours' }).getByRole('listitem').first().waitFor();
    await browser.keepScreen(ada.page, `audit-open-${colorScheme}`);
    expect(await browser.seriousViolations(ada.page)).toEqual([]);
    await ada.page.keyboard.press('Escape');
    await ada.page.getByRole('button', { name: 'Filters' }).click();
    await ada.page.getByRole('form', { name: 'Filters' }).waitFor();
    expect(await browser.seriousViolations(ada.page)).toEqual([]);
    await ada.page.getByRole('button', { name: 'Close', exact: true }).click();
    await ada.page.getByRole('button', { name: 'All days' }).click();
    await ada.page.getByRole('dialog').waitFor();
    expect(await browser.seriousViolations(ada.page)).toEqual([]);
    await browser.keepScreen(ada.page, `audit-days-${colorScheme}`);
  });

  test('has room in a narrow window', async () => {
    const ada = await desk.enter('Ada', desksOwn, { viewport: { width: 390, height: 780 } });
    await ada.rows.first().waitFor();
    await browser.keepScreen(ada.page, 'audit-narrow');
    expect(await overflowOf(ada)).toBeLessThanOrEqual(0);
    await ada.rows.nth(1).click();
    await ada.drawer.getByRole('button', { name: 'Verify in this browser' }).click();
    await ada.drawer.getByText('Proven').waitFor();
    await browser.keepScreen(ada.page, 'audit-narrow-open');
    expect(await overflowOf(ada)).toBeLessThanOrEqual(0);
  });

  test('says so when the site is away, and goes on by itself when it is back', async () => {
    const ada = await desk.enter('Ada', '/audit?action=desk.away&live=1');
    await ada.page.getByRole('status').getByText('Following the log').waitFor({ state: 'attached' });
    await ada.page.context().setOffline(true);
    await ada.page.getByRole('button', { name: 'Clear all' }).click();
    await ada.page.getByRole('alert').getByText('The entries could not be read').waitFor();
    await browser.keepScreen(ada.page, 'audit-away');
    await ada.page.context().setOffline(false);
    await ada.page.getByRole('button', { name: 'Try again' }).click();
    await ada.rows.first().waitFor();
  });

  test('breaks no content policy', () => {
    expect(browser.complaints).toEqual([]);
  });

  const overflowOf = (person: AuditorPerson) =>
    person.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

  test('shows what the site answers, to the last entry', async () => {
    const { token } = await site.admin();
    const answer = await call<AuditPage>(`${site.url}/v1/audit/entries?action=desk.check&limit=500`, { token });
    const ada = await desk.enter('Ada', desksOwn);
    expect(await ada.seesRows(pageSize)).toEqual(answer.body.entries.slice(0, pageSize).map(({ seq }) => seq));
  });
});

function isInView(locator: Locator): Promise<boolean> {
  return locator.evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
}
