import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';
import { ConsoleBrowser } from './support/console-browser.ts';
import type { ConsolePerson } from './support/console-person.ts';
import { findChromium } from './support/find-chromium.ts';

const chromium = findChromium();

(chromium === undefined ? describe.skip : describe)('AxonChat in two browsers', () => {
  let site: TestSite;
  let browser: ConsoleBrowser;
  let ana: ConsolePerson;
  let ben: ConsolePerson;
  let program: Person;

  beforeAll(async () => {
    site = await startTestSite({ mode: 'processes', env: { LEAVE_GRACE_MS: '300' } });
    browser = await ConsoleBrowser.launch(chromium!, site.url);
    program = await signInAsGuest(site.url, 'a program');
    ana = await browser.enter('ana');
    ben = await browser.enter('ben', { colorScheme: 'dark' });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await site?.stop();
  }, 30_000);

  /** The lobby as the board has it: the one order that every screen must show. */
  async function lobbyOnBoard(): Promise<string[]> {
    const path = '/v1/boards/events/events?subject=AxonChat&subject=AxonChat.lobby&limit=500';
    const { body } = await call<{ events: { data: { text: string } }[] }>(site.url + path, { token: program.token });
    return body.events.map(({ data }) => data.text);
  }

  test('two people chat both ways, by Enter and by the button', async () => {
    await ana.sayByEnter('Hello Ben, are you there?');
    await ben.sees('Hello Ben, are you there?');
    await ben.sayByButton('I am. Good to see you.');
    await ana.sees('I am. Good to see you.');
    await ana.sayByEnter('Then let us begin');
    await ben.sees('Then let us begin');
    await eventually(async () => expect(await ana.drafts()).toBe(0));
    expect(await ana.texts()).toEqual(await lobbyOnBoard());
    expect(await ben.texts()).toEqual(await lobbyOnBoard());
  });

  test('everyone online is listed once, oneself first', async () => {
    await eventually(async () => {
      expect(await ana.peopleOnline()).toEqual(['ana (You)', 'ben']);
      expect(await ben.peopleOnline()).toEqual(['ben (You)', 'ana']);
    });
    const secondTab = await ben.page.context().newPage();
    await secondTab.goto(`${site.url}/axonchat`);
    await secondTab.getByLabel('Nickname').waitFor();
    await secondTab.close();
    expect(await ana.peopleOnline()).toEqual(['ana (You)', 'ben']);
  });

  test('what a program posts on the applet’s own subject is read as well', async () => {
    await say(site.url, program, 'Backup finished', { subject: 'AxonChat' });
    await ana.sees('Backup finished');
    await ben.sees('Backup finished');
  });

  test('text stays text, in every script', async () => {
    const texts = [
      '<b>bold?</b> <img src=x onerror="window.broken = true">',
      'صباح الخير، هل الجميع هنا؟',
      'שלום לכולם',
      '你好，世界 🎉',
      `https://example.org/${'long'.repeat(80)}`,
    ];
    for (const text of texts) await ana.sayByEnter(text);
    for (const text of texts) await ben.sees(text);
    expect(await ben.page.evaluate(() => 'broken' in globalThis)).toBe(false);
    const overflow = await ben.page.evaluate(() => {
      const log = document.querySelector('[role=log]')!;
      return log.scrollWidth - log.clientWidth;
    });
    expect(overflow).toBe(0);
    await browser.keepScreen(ana.page, 'axonchat-light');
    await browser.keepScreen(ben.page, 'axonchat-dark');
  });

  test('a reload keeps the session and shows the history oldest first', async () => {
    await ana.page.reload();
    await ana.isLive();
    const board = await lobbyOnBoard();
    await ana.seesExactly(board, () => true);
    await eventually(async () => expect((await ana.peopleOnline())[0]).toBe('ana (You)'));
  });

  test('the list follows the newest only while its reader is near the end', async () => {
    for (let at = 0; at < 30; at += 1) await say(site.url, program, `line ${at}`);
    await ana.sees('line 29');
    const log = ana.page.getByRole('log');
    const distance = () => log.evaluate((list) => list.scrollHeight - list.scrollTop - list.clientHeight);
    expect(await distance()).toBeLessThanOrEqual(1);
    await log.evaluate((list) => (list.scrollTop = 40));
    await say(site.url, program, 'said below');
    await ana.page.getByRole('button', { name: '1 new message' }).waitFor();
    expect(await log.evaluate((list) => list.scrollTop)).toBe(40);
    await browser.keepScreen(ana.page, 'axonchat-new-messages');
    await ana.page.getByRole('button', { name: '1 new message' }).click();
    expect(await distance()).toBeLessThanOrEqual(1);
    await log.evaluate((list) => (list.scrollTop = list.scrollHeight - list.clientHeight - 45));
    await say(site.url, program, 'and followed again');
    await ana.sees('and followed again');
    await eventually(async () => expect(await distance()).toBeLessThanOrEqual(1));
  });

  test('a gateway killed and started again: both come back by themselves, nothing lost, nothing twice', async () => {
    const { gateway } = site.site.services;
    await ana.sayByEnter('out: before');
    await ben.sees('out: before');
    await gateway!.kill();
    await Promise.all([ana.isReconnecting(), ben.isReconnecting()]);
    await ana.sayByEnter('out: ana 1');
    await ana.sayByEnter('out: ana 2');
    await ben.sayByEnter('out: ben 1');
    // The screen joins renders: a draft shows within a few frames.
    await eventually(async () => expect(await ana.drafts()).toBe(2));
    await browser.keepScreen(ana.page, 'axonchat-reconnecting');
    await gateway!.start();
    await Promise.all([ana.isLive(60_000), ben.isLive(60_000)]);
    await ana.sayByEnter('out: after');
    await ben.sees('out: after');
    await eventually(async () => expect((await ana.drafts()) + (await ben.drafts())).toBe(0), { timeoutMs: 40_000 });

    const isOfOutage = (text: string) => text.startsWith('out: ');
    const board = (await lobbyOnBoard()).filter(isOfOutage);
    expect(board.filter((text) => !text.includes('ben'))).toEqual([
      'out: before',
      'out: ana 1',
      'out: ana 2',
      'out: after',
    ]);
    expect(board.filter((text) => text.includes('ben'))).toEqual(['out: ben 1']);
    await ana.seesExactly(board, isOfOutage);
    await ben.seesExactly(board, isOfOutage);
  }, 120_000);

  test('signing out leads back to the door, also after a reload, and the others see them leave', async () => {
    await ben.page.getByRole('button', { name: 'Sign out' }).click();
    await ben.page.getByLabel('Nickname').waitFor();
    await ben.page.reload();
    await ben.page.getByLabel('Nickname').waitFor();
    await eventually(async () => expect(await ana.peopleOnline()).toEqual(['ana (You)']), { timeoutMs: 15_000 });
  }, 40_000);

  test('a page’s policy allows no inline script, and nothing on the way broke it', async () => {
    const page = await fetch(site.url, { headers: { accept: 'text/html' } });
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/script-src|default-src/);
    expect(/script-src[^;]*/.exec(policy)?.[0] ?? policy).not.toContain('unsafe');
    expect(await page.text()).not.toContain('__CSP_NONCE__');
    expect(browser.complaints).toEqual([]);
  });
});
