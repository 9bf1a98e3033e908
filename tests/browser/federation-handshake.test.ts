import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { say, signInAsGuest } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';
import { ConsoleBrowser } from './support/console-browser.ts';
import { OperatorPerson } from './support/federation-desk.ts';
import { findChromium } from './support/find-chromium.ts';

const chromium = findChromium();
const loopback = { FEDERATION_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128', FEDERATION_ALLOWED_HTTP_HOSTS: 'localhost' };
const patience = { timeoutMs: 30_000 };

interface Side {
  site: TestSite;
  browser: ConsoleBrowser;
  operator: OperatorPerson;
}

(chromium === undefined ? describe.skip : describe)('two operators at their screens', () => {
  let host: Side;
  let guest: Side;

  async function side(name: string): Promise<Side> {
    const site = await startTestSite({ env: { ...loopback, SITE_NAME: name, FEDERATION_HEARTBEAT_MS: '1000' } });
    const browser = await ConsoleBrowser.launch(chromium!, site.url);
    return { site, browser, operator: await OperatorPerson.enter(browser) };
  }

  beforeAll(async () => {
    host = await side('Host');
    guest = await side('Guest');
  }, 120_000);

  afterAll(async () => {
    for (const one of [host, guest]) await one?.browser.close();
    for (const one of [host, guest]) await one?.site.stop();
  }, 60_000);

  const fingerprintOf = async ({ operator }: Side) =>
    operator.page
      .getByRole('region', { name: /^This site/ })
      .locator('code')
      .first()
      .innerText();

  test('share a board: invited, accepted, compared, live', async () => {
    const { operator: inviting } = host;
    await inviting.button('Share a board').click();
    await inviting.dialog.getByLabel('Board').selectOption('events');
    await inviting.dialog.getByLabel('Alias').fill('test-chat');
    await inviting.button('Share').click();
    await inviting.button('Invite a site').click();
    await inviting.button('Make an invitation').click();
    const line = await inviting.dialog.getByLabel('The invitation', { exact: true }).inputValue();
    await inviting.button('Done').click();

    const { operator: invited } = guest;
    await invited.button('Accept an invitation').click();
    await invited.dialog.getByRole('textbox', { name: 'Invitation' }).fill(line);
    await invited.dialog.getByText(await fingerprintOf(host)).waitFor();
    await invited.dialog.getByLabel('Show it on the board').selectOption('events');
    await invited.button('Accept').click();
    await invited.peer('Host').getByText('Handshake', { exact: true }).waitFor();

    await inviting.page.getByText('Guest has come with an invitation.').waitFor();
    await inviting.button('Compare the fingerprint').click();
    await inviting.dialog.getByLabel('Fingerprint').fill(await fingerprintOf(guest));
    await inviting.button('Compare and let in').click();
    await inviting.peer('Guest').getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });
    await invited.peer('Host').getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });
    await invited.peer('Host').getByText('up to date').waitFor();
    await invited.room('test-chat').getByText('Host lets sites in').waitFor();
    expect(await invited.button('Invite a site').count()).toBe(0);
  }, 120_000);

  test('and see what is said on each side arrive on the other', async () => {
    const [hal, gil] = [await signInAsGuest(host.site.url, 'hal'), await signInAsGuest(guest.site.url, 'gil')];
    for (const text of ['one', 'two', 'three']) await say(host.site.url, hal, text);
    await say(guest.site.url, gil, 'here too');
    const counts = async ({ operator }: Side, other: string) =>
      Promise.all(['this site', other].map(async (name) => (await operator.feed('test-chat', name))[1]));
    await eventually(async () => expect(await counts(host, 'Guest')).toEqual(['3', '1']), patience);
    await eventually(async () => expect(await counts(guest, 'Host')).toEqual(['1', '3']), patience);
    const hash = async ({ operator }: Side, of: string) => (await operator.feed('test-chat', of))[2];
    expect(await hash(guest, 'Host')).toBe(await hash(host, 'this site'));
    await host.browser.keepScreen(host.operator.page, 'federation-two-sites');
  }, 90_000);

  test('stop it and take it up again', async () => {
    await host.operator.decide('Guest', 'Suspend');
    await host.operator.button('Suspend').click();
    await host.operator.peer('Guest').getByText('Suspended', { exact: true }).waitFor();
    const hal = await signInAsGuest(host.site.url, 'hana');
    await say(host.site.url, hal, 'while it is suspended');
    await eventually(async () => expect((await host.operator.feed('test-chat', 'this site'))[1]).toBe('4'), patience);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect((await guest.operator.feed('test-chat', 'Host'))[1]).toBe('3');
    await guest.operator.peer('Host').getByText('Degraded', { exact: true }).waitFor();
    await guest.operator.peer('Host').getByText('it refuses: peer_suspended').waitFor();
    await guest.browser.keepScreen(guest.operator.page, 'federation-suspended-by-other');
    await host.operator.decide('Guest', 'Resume');
    await host.operator.button('Resume').click();
    await eventually(async () => expect((await guest.operator.feed('test-chat', 'Host'))[1]).toBe('4'), patience);
    await host.operator.peer('Guest').getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });
    await guest.operator.peer('Host').getByText('Live', { exact: true }).waitFor({ timeout: 30_000 });
    // The reason goes with the next answer that the page gets.
    await guest.operator.peer('Host').getByText('it refuses').waitFor({ state: 'detached' });
  }, 120_000);
});
