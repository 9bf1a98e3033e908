import { eventually } from '@boardwire/test-kit';
import type { Locator, Page } from 'playwright-core';

/** Someone at the console: what they do, and what they see. */
export class ConsolePerson {
  readonly page: Page;
  readonly nickname: string;

  constructor(page: Page, nickname: string) {
    this.page = page;
    this.nickname = nickname;
  }

  async enterAsGuest(): Promise<void> {
    await this.page.getByLabel('Nickname').fill(this.nickname);
    await this.page.getByRole('button', { name: 'Enter as guest' }).click();
    await this.isLive();
  }

  get messageField(): Locator {
    return this.page.getByRole('textbox', { name: 'Message' });
  }

  async isLive(timeout = 20_000): Promise<void> {
    await this.page.getByRole('status').getByText('Live', { exact: true }).waitFor({ timeout });
  }

  async isReconnecting(): Promise<void> {
    await this.page.getByRole('status').getByText('Reconnecting').waitFor();
  }

  async sayByEnter(text: string): Promise<void> {
    await this.messageField.fill(text);
    await this.messageField.press('Enter');
  }

  async sayByButton(text: string): Promise<void> {
    await this.messageField.fill(text);
    await this.page.getByRole('button', { name: 'Send' }).click();
  }

  async sees(text: string): Promise<void> {
    await this.page.getByRole('log').getByText(text, { exact: true }).first().waitFor();
  }

  /** Every message on the screen, from top to bottom, with drafts. */
  texts(): Promise<string[]> {
    return this.page.getByRole('log').locator('p').allInnerTexts();
  }

  async drafts(): Promise<number> {
    return this.page.getByRole('article', { name: 'Your message, not confirmed yet' }).count();
  }

  /** Names in the list of people online, from top to bottom. */
  async peopleOnline(): Promise<string[]> {
    const people = this.page.getByRole('complementary', { name: 'People online' }).getByRole('listitem');
    // The first line is the letter in the round sign.
    return (await people.allInnerTexts()).map((text) => text.split('\n').at(-1)!);
  }

  /** Waits until nothing is on its way and the screen shows exactly these, in this order, among all messages. */
  async seesExactly(wanted: readonly string[], isWanted: (text: string) => boolean): Promise<void> {
    await eventually(
      async () => {
        const seen = (await this.texts()).filter(isWanted);
        if (seen.join('\n') !== wanted.join('\n')) {
          throw new Error(`${this.nickname} sees ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`);
        }
      },
      { timeoutMs: 20_000, everyMs: 100 },
    );
  }

  async goTo(screen: string): Promise<void> {
    await this.page.getByRole('link', { name: screen }).click();
  }
}
