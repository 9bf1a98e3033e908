import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@boardwire/test-kit';
import { startTestSite, type TestSite } from '../support/test-site.ts';
import { ConsoleBrowser } from './support/console-browser.ts';
import type { ConsolePerson } from './support/console-person.ts';
import { findChromium } from './support/find-chromium.ts';

const chromium = findChromium();

(chromium === undefined ? describe.skip : describe)('two people on two gateways', () => {
  let site: TestSite;
  const browsers: ConsoleBrowser[] = [];
  let ana: ConsolePerson;
  let ben: ConsolePerson;

  beforeAll(async () => {
    site = await startTestSite({ mode: 'processes', gateways: 2, env: { LEAVE_GRACE_MS: '300' } });
    for (const number of [1, 2]) browsers.push(await ConsoleBrowser.launch(chromium!, site.gatewayUrl(number)));
    ana = await browsers[0]!.enter('ana');
    ben = await browsers[1]!.enter('ben');
  }, 120_000);

  afterAll(async () => {
    for (const browser of browsers) await browser.close();
    await site?.stop();
  }, 30_000);

  const typingLine = ({ page }: ConsolePerson) => page.getByLabel('Who is typing');
  const shows = (person: ConsolePerson, text: string, timeoutMs = 10_000) =>
    eventually(async () => expect(((await typingLine(person).textContent()) ?? '').trim()).toBe(text), { timeoutMs });

  test('see each other', async () => {
    await eventually(async () => {
      expect(await ana.peopleOnline()).toEqual(['ana (You)', 'ben']);
      expect(await ben.peopleOnline()).toEqual(['ben (You)', 'ana']);
    });
  });

  test('see each other type, until they send it', async () => {
    await ana.messageField.pressSequentially('Hello', { delay: 60 });
    await shows(ben, 'ana is typing');
    await shows(ana, '');
    await browsers[1]!.keepScreen(ben.page, 'axonchat-typing');
    expect(await browsers[1]!.seriousViolations(ben.page)).toEqual([]);
    await ana.messageField.press('Enter');
    await ben.sees('Hello');
    await shows(ben, '', 1_000);
    await ben.messageField.pressSequentially('Hi', { delay: 60 });
    await shows(ana, 'ben is typing');
    // What is deleted again is nobody's message.
    await ben.messageField.fill('');
    await shows(ana, '', 1_000);
  });

  test('see that somebody only stopped, and that somebody left', async () => {
    await ana.messageField.pressSequentially('Well', { delay: 60 });
    await shows(ben, 'ana is typing');
    await shows(ben, '', 6_000);
    await ana.messageField.pressSequentially(' …', { delay: 60 });
    await shows(ben, 'ana is typing');
    await ana.page.close();
    await shows(ben, '', 2_000);
    await eventually(async () => expect(await ben.peopleOnline()).toEqual(['ben (You)']));
    expect(browsers.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});
