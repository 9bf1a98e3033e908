import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  decodeInvitation,
  encodeInvitation,
  fingerprintOf,
  type AuditPage,
  type FederationRoom,
} from '@boardwire/contracts';
import { eventually } from '@boardwire/test-kit';
import type { BrowserContextOptions, ViewportSize } from 'playwright-core';
import { call } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';
import { ConsoleBrowser } from './support/console-browser.ts';
import { FederationTables, OperatorPerson, siteIdOf } from './support/federation-desk.ts';
import { findChromium } from './support/find-chromium.ts';

const chromium = findChromium();
const [pi, relay, liar, caller] = ['p', 'r', 'l', 'c'].map(siteIdOf) as [string, string, string, string];
const theirs = {
  site: siteIdOf('t'),
  name: 'There',
  alias: 'far-chat',
  endpoints: ['https://there.invalid'],
  room: `br1${'q'.repeat(52)}`,
  scopes: ['read' as const, 'write' as const],
  subjects: ['AxonChat.>'],
  secret: 'x'.repeat(43),
};
const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

(chromium === undefined ? describe.skip : describe)('the screen “Federation”', () => {
  let site: TestSite;
  let browser: ConsoleBrowser;
  let tables: FederationTables;
  let operator: OperatorPerson | undefined;

  beforeAll(async () => {
    site = await startTestSite({ mode: 'processes', env: { SITE_NAME: 'Host' } });
    browser = await ConsoleBrowser.launch(chromium!, site.url);
    tables = await FederationTables.open(site);
  }, 120_000);

  afterAll(async () => {
    await tables?.close();
    await browser?.close();
    await site?.stop();
  }, 30_000);

  /** The same person all the time, at a screen that is opened anew: signing in takes longer than all else. */
  async function atDesk({
    colorScheme = 'light',
    viewport = { width: 1200, height: 760 },
  }: Pick<BrowserContextOptions, 'colorScheme'> & { viewport?: ViewportSize } = {}): Promise<OperatorPerson> {
    operator ??= await OperatorPerson.enter(browser);
    await operator.page.setViewportSize(viewport);
    await operator.page.emulateMedia({ colorScheme });
    await operator.page.goto(`${site.url}/federation`);
    return operator;
  }

  const api = async <T>(path: string) => {
    const { token } = await site.admin();
    return (await call<T>(`${site.url}/v1/${path}`, { token })).body;
  };
  const roomOf = async (alias: string) =>
    (await api<{ rooms: FederationRoom[] }>('federation/rooms')).rooms.find((room) => room.alias === alias)!;

  test('is for administrators: others have no way to it, and are refused when they try', async () => {
    const guest = await browser.enter('gast');
    expect(await guest.page.getByRole('link', { name: 'Federation' }).count()).toBe(0);
    await guest.page.goto(`${site.url}/federation`);
    await guest.page.getByRole('alert').getByText('Federation is not open to this account').waitFor();
    operator = await OperatorPerson.enter(browser, { path: '/' });
    const admin = operator;
    await admin.page.getByRole('link', { name: 'Federation' }).click();
    await admin.page.getByText('No board is shared').waitFor();
    expect(await admin.page.title()).toBe('Federation · Boardwire');
    await browser.keepScreen(admin.page, 'federation-empty');
    expect(await browser.seriousViolations(admin.page)).toEqual([]);
  });

  test('says who this site is: its fingerprint, its endpoints and keys', async () => {
    const admin = await atDesk();
    await admin.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const { fingerprint, keys } = await api<{ fingerprint: string; keys: { public: string }[] }>('federation');
    await admin.page.getByText(fingerprint, { exact: true }).waitFor();
    await admin.button('Copy the fingerprint').click();
    await admin.button('the fingerprint copied').waitFor();
    expect(await admin.page.evaluate(() => navigator.clipboard.readText())).toBe(fingerprint);
    await admin.page.getByText('Keys, as version').click();
    for (const key of keys) await admin.page.getByText(key.public, { exact: true }).waitFor();
  });

  test('shares a board with the keyboard alone', async () => {
    const admin = await atDesk();
    await admin.button('Share a board').focus();
    await admin.page.keyboard.press('Enter');
    await admin.dialog.getByText('Share a board', { exact: true }).waitFor();
    const board = admin.dialog.getByLabel('Board');
    await eventually(async () =>
      expect(await board.locator('option').allInnerTexts()).toContain('Realtime Event Board (events)'),
    );
    expect(await board.locator('option').allInnerTexts()).not.toContainEqual(expect.stringContaining('(site)'));
    await admin.page.keyboard.type('Realtime');
    await admin.page.keyboard.press('Tab');
    await admin.page.keyboard.type('test-chat');
    await admin.page.keyboard.press('Tab');
    await admin.page.keyboard.press('Control+A');
    await admin.page.keyboard.type('AxonChat..x');
    await admin.dialog.getByText('Not a filter: AxonChat..x').waitFor();
    await admin.page.keyboard.press('Control+A');
    await admin.page.keyboard.type('AxonChat.>');
    await admin.page.keyboard.press('Enter');
    await admin.room('test-chat').waitFor();
    expect(await admin.dialog.count()).toBe(0);
    expect(await admin.focused()).toBe('Share a board');
    const [name, events, , , waiting, leftOut, state] = await admin.feed('test-chat', 'this site');
    expect([name, events, waiting, leftOut, state]).toEqual(['this site', '0', '0', '0', 'open']);
    expect(await roomOf('test-chat')).toMatchObject({ board: 'events', subjects: ['AxonChat.>'] });
  });

  test('counts what is said on the board, while one looks', async () => {
    const admin = await atDesk();
    await admin.room('test-chat').waitFor();
    const { token } = await site.admin();
    for (const text of ['one', 'two', 'three']) {
      const json = { subject: 'AxonChat.lobby', type: 'chat.message.posted', data: { text } };
      await call(`${site.url}/v1/boards/events/events`, { token, json });
    }
    await eventually(async () => expect((await admin.feed('test-chat', 'this site'))[1]).toBe('3'), {
      timeoutMs: 10_000,
    });
    const { feeds } = await roomOf('test-chat');
    expect((await admin.feed('test-chat', 'this site'))[2]).toBe(feeds[0]!.hash.slice(0, 10));
  });

  test('invites: the line is shown once, the invitation until it is withdrawn', async () => {
    const admin = await atDesk();
    await admin.button('Invite a site').click();
    await admin.dialog.getByLabel('Pass on what other members said').click();
    await admin.dialog.getByLabel('The invitation lasts').selectOption('A day');
    await browser.keepScreen(admin.page, 'federation-invite');
    expect(await browser.seriousViolations(admin.page)).toEqual([]);
    await admin.button('Make an invitation').click();
    const line = await admin.dialog.getByLabel('The invitation', { exact: true }).inputValue();
    const invitation = decodeInvitation(line)!;
    expect(invitation).toMatchObject({ alias: 'test-chat', scopes: ['read', 'write'], subjects: ['AxonChat.>'] });
    expect(Date.parse(invitation.expires) - Date.now()).toBeGreaterThan(86_000_000);
    await browser.keepScreen(admin.page, 'federation-invitation');
    expect(await browser.seriousViolations(admin.page)).toEqual([]);
    expect(await admin.focused()).toBe('Copy the invitation');
    await admin.button('Done').click();
    const open = admin.page.getByRole('list', { name: 'Open invitations' });
    await open.getByText('Invitation for whoever has it, read, write; still 24 h').waitFor();
    expect(await admin.page.content()).not.toContain(invitation.secret);
    await open.getByRole('button', { name: 'Withdraw' }).click();
    await eventually(async () => expect(await open.count()).toBe(0));
    expect((await api<{ invitations: unknown[] }>('federation/invitations')).invitations).toEqual([]);
  });

  test('shows what an invitation says before it is accepted, and what is none', async () => {
    const admin = await atDesk();
    const { token } = await site.admin();
    await call(`${site.url}/v1/boards`, { token, json: { slug: 'far', title: 'Far away' } });
    await admin.button('Accept an invitation').click();
    const field = admin.dialog.getByRole('textbox', { name: 'Invitation' });
    await field.fill('bwi1.hello');
    await admin.dialog.getByText('This is not an invitation, or not all of it').waitFor();
    await field.fill(encodeInvitation({ ...theirs, expires: inMinutes(-1) }));
    await admin.dialog.getByText('This invitation has expired').waitFor();
    expect(await admin.button('Accept').isDisabled()).toBe(true);
    await field.fill(encodeInvitation({ ...theirs, expires: inMinutes(30) }));
    const says = admin.dialog.getByText(fingerprintOf(theirs.site));
    await says.waitFor();
    for (const text of ['There', 'https://there.invalid', 'far-chat', 'gets events, adds its own']) {
      await admin.dialog.getByText(text).first().waitFor();
    }
    const board = admin.dialog.getByLabel('Show it on the board');
    expect(await board.locator('option').allInnerTexts()).not.toContainEqual(expect.stringContaining('(events)'));
    await board.selectOption('far');
    await browser.keepScreen(admin.page, 'federation-accept');
    expect(await browser.seriousViolations(admin.page)).toEqual([]);
    await admin.button('Accept').click();
    await admin.peer('There').getByText(fingerprintOf(theirs.site)).waitFor();
    await admin.decide('There', 'Revoke for good');
    await admin.button('Cancel').click();
  });

  describe('with other sites', () => {
    beforeAll(async () => {
      const { room } = await roomOf('test-chat');
      // Its links see that it is not there, which is what they are for.
      await tables.addPeer({ site: relay, name: 'Relay', state: 'offline' });
      await tables.addPeer({
        site: pi,
        name: 'Pi',
        state: 'offline',
        reason: 'unreachable: pi.example cannot be reached',
        failedAttempts: 4,
        nextDial: 40,
      });
      await tables.addPeer({ site: liar, name: 'Liar', state: 'offline' });
      for (const peer of [relay, pi, liar]) await tables.grant(peer, room);
      await tables.addFrozenFeed(liar, room);
    });

    test('says how it stands with each', async () => {
      const admin = await atDesk();
      await admin.peer('Relay').getByText('Offline', { exact: true }).waitFor();
      const offline = admin.peer('Pi');
      await offline.getByText('Offline', { exact: true }).waitFor();
      await offline.getByText('unreachable: pi.example cannot be reached').waitFor();
      await offline.getByText(/^in \d+ s, after 4 failures$/).waitFor();
      await offline.getByText('3 min ago').waitFor();
      await offline.getByText('gets events, adds its own').waitFor();
      await browser.keepScreen(admin.page, 'federation-light');
    });

    test('shows evidence and the feed that is frozen by it', async () => {
      const admin = await atDesk();
      const evidence = admin.page.getByRole('region', { name: /^Evidence/ });
      await evidence.getByText('79f076abdd').waitFor();
      const cells = await evidence.getByRole('row').last().locator('th, td').allInnerTexts();
      expect(cells.slice(0, 4)).toEqual(['Liar', '7', '79f076abdd', 'd9298a10d1']);
      const feed = admin.page
        .getByRole('table', { name: 'Feeds of test-chat' })
        .getByRole('row')
        .filter({ hasText: 'Liar' });
      await feed.getByText('frozen').waitFor();
    });

    test('suspends with a reason, and resumes', async () => {
      const admin = await atDesk();
      await admin.decide('Relay', 'Suspend');
      await admin.dialog.getByLabel('Reason').fill('is being moved');
      await browser.keepScreen(admin.page, 'federation-suspend');
      expect(await browser.seriousViolations(admin.page)).toEqual([]);
      await admin.button('Suspend').click();
      await admin.peer('Relay').getByText('Suspended', { exact: true }).waitFor();
      await admin.peer('Relay').getByText('is being moved').waitFor();
      expect(await tables.peerState(relay)).toEqual({ state: 'suspended', reason: 'is being moved' });
      await eventually(async () => expect(await admin.focused()).toBe('Decide about Relay'));
      await admin.decide('Relay', 'Resume');
      await admin.button('Resume').click();
      await eventually(async () => expect((await tables.peerState(relay)).state).not.toBe('suspended'));
    });

    test('revokes after a question alone; Escape asks no further', async () => {
      const admin = await atDesk();
      await admin.decide('Pi', 'Revoke for good');
      await admin.page.keyboard.press('Escape');
      await eventually(async () => expect(await admin.dialog.count()).toBe(0));
      expect((await tables.peerState(pi)).state).not.toBe('revoked');
      await admin.decide('Pi', 'Revoke for good');
      await admin.button('Revoke').click();
      await admin.peer('Pi').getByText('Revoked', { exact: true }).waitFor();
      expect(await admin.button('Decide about Pi').count()).toBe(0);
    });

    test('asks for the fingerprint of a site that has come, and refuses another one', async () => {
      const { room } = await roomOf('test-chat');
      await tables.addPeer({ site: caller, name: 'Caller', state: 'handshake' });
      await tables.database.query(
        `INSERT INTO invitation (secret_hash, room, scopes, subjects, created_by, expires_at, used_at, used_by)
         VALUES (sha256('a'), $1, '{read}', '{>}', 'op', now() + interval '1 hour', now(), $2)`,
        [room, caller],
      );
      const admin = await atDesk();
      await admin.page.getByText('Caller has come with an invitation.').waitFor();
      await browser.keepScreen(admin.page, 'federation-waits');
      await admin.button('Compare the fingerprint').click();
      await admin.dialog.getByLabel('Fingerprint').fill(fingerprintOf(pi));
      await admin.button('Compare and let in').click();
      await admin.dialog.getByRole('alert').getByText('this is not the fingerprint of that site').waitFor();
      await browser.keepScreen(admin.page, 'federation-other-fingerprint');
      expect(await browser.seriousViolations(admin.page)).toEqual([]);
      await admin.dialog.getByLabel('Fingerprint').fill(fingerprintOf(caller).toUpperCase());
      await admin.button('Compare and let in').click();
      await eventually(async () => expect(await admin.button('Compare the fingerprint').count()).toBe(0));
    });

    test('tells the audit log who decided what', async () => {
      const wanted = ['suspend done', 'resume done', 'revoke done', 'confirm refused', 'confirm done'];
      const { userId } = await site.admin().then(({ id }) => ({ userId: id }));
      await eventually(async () => {
        const page = await api<AuditPage>('audit/entries?kind=decision&q=federation.peer&order=oldest&limit=100');
        // Looking for it is recorded as well.
        const entries = page.entries.filter(({ action }) => action.startsWith('federation.'));
        const told = entries.map(({ action, outcome }) => `${action.replace('federation.peer.', '')} ${outcome}`);
        expect(told).toEqual(wanted);
        expect(new Set(entries.map(({ actor }) => actor))).toEqual(new Set([userId]));
        expect(entries[0]).toMatchObject({
          peer: relay,
          detail: { data: { before: { state: 'offline' }, after: { state: 'suspended' } } },
        });
      });
    });

    test.each(['light', 'dark'] as const)('keeps nobody out, in %s colours', async (colorScheme) => {
      const viewport = { width: 1200, height: 1500 };
      const admin = await atDesk({ colorScheme, viewport });
      await admin.peer('Relay').waitFor();
      await admin.page.getByText('Keys, as version').click();
      await browser.keepScreen(admin.page, `federation-whole-${colorScheme}`);
      expect(await browser.seriousViolations(admin.page)).toEqual([]);
      await admin.button('Decide about Relay').click();
      await admin.page.getByRole('menuitem').first().waitFor();
      expect(await browser.seriousViolations(admin.page)).toEqual([]);
    });

    test('has room in a narrow window', async () => {
      const admin = await atDesk({ viewport: { width: 390, height: 780 } });
      await admin.peer('Relay').waitFor();
      await browser.keepScreen(admin.page, 'federation-narrow');
      expect(await admin.overflow()).toBeLessThanOrEqual(0);
      await admin.page.getByRole('list', { name: 'Other sites' }).scrollIntoViewIfNeeded();
      await browser.keepScreen(admin.page, 'federation-narrow-sites');
      await admin.button('Accept an invitation').click();
      await admin.dialog
        .getByRole('textbox', { name: 'Invitation' })
        .fill(encodeInvitation({ ...theirs, expires: inMinutes(30) }));
      await browser.keepScreen(admin.page, 'federation-narrow-accept');
      expect(await admin.overflow()).toBeLessThanOrEqual(0);
    });

    test('says so while the site is away, and goes on by itself', async () => {
      const admin = await atDesk();
      await admin.peer('Relay').waitFor();
      await admin.page.context().setOffline(true);
      await admin.page.getByRole('alert').getByText('What stands here may be old').waitFor();
      await browser.keepScreen(admin.page, 'federation-away');
      await admin.page.context().setOffline(false);
      await eventually(async () => expect(await admin.page.getByRole('alert').count()).toBe(0), { timeoutMs: 10_000 });
    });
  });

  test('breaks no content policy', () => {
    expect(browser.complaints).toEqual([]);
  });
});
