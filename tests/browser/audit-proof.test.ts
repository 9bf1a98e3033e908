import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AuditPage } from '@boardwire/contracts';
import { importSigningKey, noteSigner, signCheckpoint } from '@boardwire/signing';
import { eventually } from '@boardwire/test-kit';
import pg from 'pg';
import { call, say, signInAsGuest } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';
import { AuditDesk, type AuditorPerson } from './support/audit-desk.ts';
import { ConsoleBrowser } from './support/console-browser.ts';
import { findChromium } from './support/find-chromium.ts';

const chromium = findChromium();
const titles = {
  fields: 'The fields shown are those of the record',
  content: 'Content: SHA-256(salt ‖ content) is the hash in the record',
  leaf: 'Leaf hash: SHA-256(0x00 ‖ record)',
  path: 'Audit path: folded up to the root of the checkpoint (RFC 6962)',
  signature: 'Signature of the checkpoint (Ed25519)',
  growth: 'Consistency with the checkpoint this browser saw last (RFC 6962)',
};

(chromium === undefined ? describe.skip : describe)('verifying in the browser', () => {
  let site: TestSite;
  let browser: ConsoleBrowser;
  let desk: AuditDesk;
  let database: pg.Client;

  beforeAll(async () => {
    site = await startTestSite({ mode: 'processes' });
    browser = await ConsoleBrowser.launch(chromium!, site.url);
    desk = new AuditDesk(site, browser);
    await desk.createAuditor('Ada');
    await desk.report(Array.from({ length: 20 }, (_, at) => ({ action: 'desk.proven', actor: `witness-${at}` })));
    database = new pg.Client({ connectionString: site.infrastructure.postgres.url });
    await database.connect();
  }, 120_000);

  afterAll(async () => {
    await database?.end();
    await browser?.close();
    await site?.stop();
  }, 30_000);

  async function verified(ada: AuditorPerson): Promise<void> {
    await ada.drawer.getByRole('button', { name: 'Verify in this browser' }).click();
    await ada.drawer.getByRole('status').waitFor();
  }
  /** How a step came out, and its values by name. */
  const step = (ada: AuditorPerson, title: string) =>
    ada.drawer.getByRole('listitem').filter({ has: ada.page.getByRole('heading', { name: title }) });
  const outcomes = async (ada: AuditorPerson) => {
    const entries = Object.entries(titles).map(async ([name, title]) => {
      const text = await step(ada, title).innerText();
      return [name, /^(Passed|Failed|Not checked)/.exec(text)?.[1]] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  };
  const allPassed = {
    fields: 'Passed',
    content: 'Passed',
    leaf: 'Passed',
    path: 'Passed',
    signature: 'Passed',
    growth: 'Passed',
  };

  test('an entry is proven step by step, and the values are right', async () => {
    const ada = await desk.enter('Ada', '/audit?actor=witness-3&entry=first');
    await ada.drawer.getByText('witness-3').first().waitFor();
    await verified(ada);
    await ada.drawer.getByText('Proven: this very record is in the log.').waitFor();
    expect(await outcomes(ada)).toEqual(allPassed);
    const { record } = JSON.parse(
      await ada.drawer.getByRole('region', { name: 'Raw JSON' }).locator('pre').innerText(),
    );
    const leaf = createHash('sha256')
      .update(Buffer.from([0]))
      .update(record)
      .digest('hex');
    expect(await step(ada, titles.leaf).innerText()).toContain(leaf);
    await step(ada, titles.path)
      .getByText(/^All \d+ levels$/)
      .click();
    const path = await step(ada, titles.path).innerText();
    const size = /(\d+), counted from 0/.exec(path)![1];
    expect(path).toContain(await desk.rootAt(Number(size)));
    await step(ada, titles.leaf).scrollIntoViewIfNeeded();
    await browser.keepScreen(ada.page, 'audit-verified');
  });

  test('what was seen is remembered, and the log may only grow from there', async () => {
    const ada = await desk.enter('Ada');
    await ada.state.getByText('Signed; seen for the first time').waitFor();
    await desk.report([{ action: 'desk.growing' }]);
    await ada.page.reload();
    await ada.state.getByText('Signed, and only grown since last seen').waitFor();
  });

  test('another past of the same size or a longer one is shown in red', async () => {
    const ada = await desk.enter('Ada');
    await ada.state.getByText(/^Signed/).waitFor();
    const { size } = JSON.parse(await remember(ada, await forgedNote({ sizeLess: 2, isOther: true }))) as {
      size: number;
    };
    await ada.page.reload();
    const alarm = ada.state.getByRole('alert');
    await alarm.getByText('The log was forked').waitFor();
    await alarm.getByText(`does not begin with the ${size} that were seen before`).waitFor();
    await browser.keepScreen(ada.page, 'audit-forked');
    expect(await browser.seriousViolations(ada.page)).toEqual([]);

    // It stays so: looking once more must not make it good.
    await ada.page.reload();
    await alarm.getByText('The log was forked').waitFor();
    await alarm.getByRole('button', { name: 'Go on with what is shown now' }).click();
    await ada.state.getByText(/^Signed/).waitFor();
    await ada.page.reload();
    await ada.state.getByText(/^Signed, and/).waitFor();
  });

  test('a log that has become shorter is shown in red', async () => {
    const ada = await desk.enter('Ada');
    await ada.state.getByText(/^Signed/).waitFor();
    await remember(ada, await forgedNote({ sizeLess: -5_000, isOther: false }));
    await ada.page.reload();
    await ada.state.getByRole('alert').getByText('The log was rolled back').waitFor();
    await browser.keepScreen(ada.page, 'audit-rolled-back');
  });

  test('what was removed is shown as redacted, and its proof is what it was', async () => {
    const ben = await signInAsGuest(site.url, 'ben');
    const { body: said } = await say(site.url, ben, 'words to be forgotten');
    await site.auditHas('events', said.seq);
    const { token } = await site.admin();
    const url = `${site.url}/v1/boards/events/events/${said.cursor}`;
    expect((await call(url, { method: 'DELETE', token })).status).toBeLessThan(300);
    await eventually(
      async () => {
        const answer = await call<AuditPage>(`${site.url}/v1/audit/entries?event_id=${said.id}`, { token });
        expect(answer.body.entries[0]?.detail_state).toBe('redacted');
      },
      { timeoutMs: 15_000 },
    );
    const ada = await desk.enter('Ada', `/audit?board=events&event_id=${said.id}&entry=first`);
    await ada.drawer.getByText('The content was removed.').waitFor();
    expect(await ada.page.getByText('words to be forgotten').count()).toBe(0);
    await verified(ada);
    await ada.drawer.getByText('Proven: this very record is in the log.').waitFor();
    expect(await step(ada, titles.content).count()).toBe(0);
    await browser.keepScreen(ada.page, 'audit-redacted');
  });

  test('a gap is a red strip that says what is missing', async () => {
    await desk.report([{ action: 'desk.after-gap' }], { skip: 3 });
    const ada = await desk.enter('Ada');
    const alarm = ada.state.getByRole('alert');
    await alarm.getByText('There is a gap in the log').waitFor();
    await alarm.getByText('applets/desk').waitFor();
    expect(await alarm.innerText()).toMatch(/numbers 22 to 24|numbers 2[0-9] to 2[0-9]/);
    await browser.keepScreen(ada.page, 'audit-gap');
    expect(await browser.seriousViolations(ada.page)).toEqual([]);
  });

  test('a record that was changed behind the log’s back fails, and says at which step', async () => {
    await tamper('witness-5', 'witness-X');
    const ada = await desk.enter('Ada', '/audit?q=witness-X&entry=first');
    await ada.drawer.getByText('witness-X').first().waitFor();
    await verified(ada);
    await ada.drawer.getByText('Not proven: a step has failed.').waitFor();
    expect(await outcomes(ada)).toMatchObject({ path: 'Failed', signature: 'Passed', growth: 'Passed' });
    expect(await step(ada, titles.path).innerText()).toContain('The path leads to another root');
    await step(ada, titles.path).scrollIntoViewIfNeeded();
    await browser.keepScreen(ada.page, 'audit-tampered');
    expect(await browser.seriousViolations(ada.page)).toEqual([]);
  });

  /** What a superuser can do: the triggers are out of the way, the record is another. */
  async function tamper(from: string, to: string): Promise<void> {
    await database.query(`SET session_replication_role = replica`);
    const { rowCount } = await database.query(
      `UPDATE audit.entry SET actor = $2, record = convert_to(replace(convert_from(record, 'UTF8'), $1, $2), 'UTF8')
       WHERE actor = $1`,
      [from, to],
    );
    await database.query(`SET session_replication_role = origin`);
    expect(rowCount).toBe(1);
  }

  /** A checkpoint that the log's own key signs and its history doesn't have: what a forked log looks like. */
  async function forgedNote({ sizeLess, isOther }: { sizeLess: number; isOther: boolean }): Promise<string> {
    const { rows } = await database.query<{ seed: Buffer; epoch: string; note: string; size: string; root: Buffer }>(
      `SELECT seed, epoch, note, c.size, root FROM audit.checkpoint_key, audit.tree, audit.checkpoint c
       ORDER BY c.size DESC LIMIT 1`,
    );
    const { seed, note, size, root } = rows[0]!;
    const signer = noteSigner(note.split('\n')[0]!, importSigningKey(seed));
    const other = isOther ? createHash('sha256').update('another past').digest() : root;
    return signCheckpoint({ origin: signer.name, size: Number(size) - sizeLess, root: other }, [signer]);
  }

  /** Puts a note where this browser keeps what it saw last; answers what it means. */
  async function remember(ada: AuditorPerson, note: string): Promise<string> {
    await eventually(async () => {
      const kept = await ada.page.evaluate(() => localStorage.getItem('boardwire.audit.seen'));
      expect(kept).not.toBeNull();
    });
    await ada.page.evaluate((text) => {
      const kept = JSON.parse(localStorage.getItem('boardwire.audit.seen')!) as object;
      localStorage.setItem('boardwire.audit.seen', JSON.stringify({ ...kept, note: text }));
    }, note);
    return JSON.stringify({ size: Number(note.split('\n')[1]) });
  }
});
