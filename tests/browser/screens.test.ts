import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { formatCursor, parseCursor } from '@boardwire/contracts';
import { eventually } from '@boardwire/test-kit';
import type { Locator } from 'playwright-core';
import { call, say, signInAsGuest, type Person } from '../support/person.ts';
import { startTestSite, type TestSite } from '../support/test-site.ts';
import { ConsoleBrowser } from './support/console-browser.ts';
import { ConsolePerson } from './support/console-person.ts';
import { findChromium } from './support/find-chromium.ts';

const chromium = findChromium();

(chromium === undefined ? describe.skip : describe)('the console’s screens', () => {
  let site: TestSite;
  let browser: ConsoleBrowser;
  let program: Person;

  beforeAll(async () => {
    site = await startTestSite({ mode: 'processes' });
    browser = await ConsoleBrowser.launch(chromium!, site.url);
    program = await signInAsGuest(site.url, 'scores');
    for (const score of [120, 145, 180]) await post('GameScore', 'game.score.set', { player: 'ana', score });
    await say(site.url, program, 'Scores are in');
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await site?.stop();
  }, 30_000);

  const post = (subject: string, type: string, data: unknown) =>
    call(`${site.url}/v1/boards/events/events`, { token: program.token, json: { subject, type, data } });

  async function inLiveView(nickname: string, query: string): Promise<ConsolePerson> {
    const person = new ConsolePerson(await browser.open(`/live?${query}`), nickname);
    await person.enterAsGuest();
    return person;
  }
  const rows = (person: ConsolePerson) => person.page.getByRole('log').getByRole('button');

  test('the live view shows the filtered subjects alone, newest 50 first, then live', async () => {
    const cleo = await inLiveView('cleo', 'board=events&subject=GameScore');
    await eventually(async () => expect(await rows(cleo).count()).toBe(3));
    await say(site.url, program, 'not for the score board');
    await post('GameScore', 'game.score.set', { player: 'ben', score: 200 });
    await rows(cleo).getByText('"score":200').waitFor();
    expect(await rows(cleo).count()).toBe(4);
    expect(await cleo.page.getByRole('log').getByText('AxonChat').count()).toBe(0);

    await rows(cleo).last().click();
    const json = await cleo.page.getByRole('log').locator('pre').innerText();
    expect(JSON.parse(json)).toMatchObject({ subject: 'GameScore', data: { player: 'ben', score: 200 } });
    const { cursor } = JSON.parse(json) as { cursor: string };
    await cleo.page.getByText(cursor, { exact: true }).waitFor();
    await browser.keepScreen(cleo.page, 'live-view-light');
  });

  test('the live view refuses what is not a filter, and says what one is', async () => {
    const dora = await inLiveView('dora', 'board=events');
    const field = dora.page.getByLabel('Subjects');
    await field.fill('AxonChat..lobby');
    await dora.page.getByText('is not a filter').waitFor();
    expect(await dora.page.getByRole('button', { name: 'Watch' }).isDisabled()).toBe(true);
    await browser.keepScreen(dora.page, 'live-view-refused');
    await dora.page.getByRole('button', { name: 'AxonChat.>', exact: true }).click();
    await rows(dora).getByText('Scores are in').waitFor();
    expect(new URL(dora.page.url()).searchParams.getAll('subject')).toEqual(['AxonChat.>']);
    expect(await dora.page.getByRole('log').getByText('GameScore').count()).toBe(0);
  });

  test('the live view holds events back while paused, and clears', async () => {
    const eli = await inLiveView('eli', 'board=events&subject=GameScore&from=now');
    await eli.page.getByText('Waiting for events').waitFor();
    const scored = (text: string) => post('GameScore', 'game.score.set', { text });
    await scored('one');
    await eventually(async () => expect(await rows(eli).count()).toBe(1));
    await eli.page.getByRole('button', { name: 'Pause' }).click();
    await scored('two');
    await eli.page.getByRole('button', { name: 'Resume (1 held back)' }).waitFor();
    expect(await rows(eli).count()).toBe(1);
    await eli.page.getByRole('button', { name: /^Resume/ }).click();
    await eventually(async () => expect(await rows(eli).count()).toBe(2));
    await eli.page.getByRole('button', { name: 'Clear' }).click();
    await eventually(async () => expect(await rows(eli).count()).toBe(0));
  });

  test('the live view says what may not be watched', async () => {
    const page = await browser.open('/live?board=events&subject=SystemAlert');
    await page.getByLabel('Nickname').fill('fritz');
    await page.getByRole('button', { name: 'Enter as guest' }).click();
    await page.getByRole('alert').getByText('Not allowed').waitFor();
    await browser.keepScreen(page, 'live-view-forbidden');
  });

  test('an account can be registered, signed out of and signed in to', async () => {
    const page = await browser.open('/');
    await page.getByRole('tab', { name: 'Register' }).click();
    await page.getByLabel('Name').fill('Florian');
    await page.getByRole('textbox', { name: 'Password' }).fill('a long enough one');
    await page.getByRole('button', { name: 'Create account' }).click();
    await new ConsolePerson(page, 'Florian').isLive();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('tab', { name: 'Sign in' }).click();
    await page.getByLabel('Name').fill('Florian');
    await page.getByRole('textbox', { name: 'Password' }).fill('a wrong one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Name or password is wrong').waitFor();
    await page.getByRole('textbox', { name: 'Password' }).fill('a long enough one');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await new ConsolePerson(page, 'Florian').isLive();
  });

  test.each(['light', 'dark'] as const)('no screen keeps anybody out, in %s colours', async (colorScheme) => {
    const person = new ConsolePerson(await browser.open('/', { colorScheme }), `gil ${colorScheme}`);
    await person.page.getByLabel('Nickname').waitFor();
    expect(await browser.seriousViolations(person.page)).toEqual([]);
    await browser.keepScreen(person.page, `sign-in-${colorScheme}`);
    await person.enterAsGuest();
    await person.sees('Scores are in');
    expect(await browser.seriousViolations(person.page)).toEqual([]);
    await person.goTo('Live view');
    await rows(person).first().click();
    expect(await browser.seriousViolations(person.page)).toEqual([]);
    await browser.keepScreen(person.page, `live-view-open-${colorScheme}`);
    await person.page.goto(`${site.url}/nowhere`);
    await person.page.getByText('There is nothing at this address').waitFor();
    expect(await browser.seriousViolations(person.page)).toEqual([]);
  });

  test('a narrow window has every screen', async () => {
    const person = await browser.enter('hana', { viewport: { width: 390, height: 780 } });
    await person.sees('Scores are in');
    await browser.keepScreen(person.page, 'axonchat-narrow');
    await person.page.getByRole('button', { name: 'Navigation' }).click();
    await person.goTo('Live view');
    await rows(person).first().waitFor();
    await browser.keepScreen(person.page, 'live-view-narrow');
    const overflow = await person.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  });

  test('the screens work with a keyboard alone', async () => {
    const page = await browser.open('/');
    await page.getByLabel('Nickname').waitFor();
    await page.keyboard.type('ivo');
    await page.keyboard.press('Enter');
    const ivo = new ConsolePerson(page, 'ivo');
    await ivo.isLive();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to content');
    await ivo.messageField.focus();
    await page.keyboard.type('first line');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('second line');
    await page.keyboard.press('Enter');
    await eventually(async () => expect((await ivo.texts()).at(-1)).toBe('first line\nsecond line'));
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
  });

  test('what is removed goes from open screens at once, and nothing moves', async () => {
    const text = 'A number that was not meant for all. '.repeat(9).trim();
    const { body } = await say(site.url, program, text);
    const nora = await inLiveView('nora', 'board=events&subject=AxonChat.lobby');
    const omar = await browser.enter('omar');
    await rows(nora).getByText(text).waitFor();
    await omar.sees(text);
    const bubble = omar.page.getByRole('log').locator('p').last();
    const before = await bubble.boundingBox();
    const path = `/v1/boards/events/events/${body.cursor}`;
    expect((await call(site.url + path, { method: 'DELETE', token: program.token })).status).toBe(204);
    await omar.sees('Message removed');
    await rows(nora).getByText('(removed)').waitFor();
    for (const { page } of [nora, omar]) expect(await page.content()).not.toContain(text);
    const after = await bubble.boundingBox();
    for (const edge of ['y', 'height'] as const) expect(Math.abs(after![edge] - before![edge])).toBeLessThan(1);
    expect(await browser.seriousViolations(omar.page)).toEqual([]);
    await browser.keepScreen(omar.page, 'axonchat-removed');
  });

  test('who is sent to an event finds it in sight and marked, in the live view and in AxonChat', async () => {
    const { body: wanted } = await say(site.url, program, 'The one that is meant');
    for (let at = 0; at < 70; at += 1) await say(site.url, program, `after it ${at}`);
    const event = new URLSearchParams({ board: 'events', subject: '>', after: wanted.cursor, event: wanted.id });
    event.set('after', formatCursor(parseCursor(wanted.cursor)!.epoch, wanted.seq - 2));
    const max = await inLiveView('max', event.toString());
    const row = max.page.getByRole('log').locator('[aria-current="true"]');
    await row.getByText('The one that is meant').waitFor();
    await eventually(async () => expect(await isInSight(row)).toBe(true));
    await max.page.goto(`${site.url}/axonchat?event=${wanted.id}&at=${wanted.cursor}`);
    const message = max.page.getByRole('log').locator('[aria-current="true"]');
    await eventually(async () => expect(await isInSight(message)).toBe(true), { timeoutMs: 15_000 });
    expect(await message.innerText()).toBe('The one that is meant');
  });
});

function isInSight(element: Locator): Promise<boolean> {
  return element.evaluate((shown) => {
    const { top, bottom } = shown.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
}
