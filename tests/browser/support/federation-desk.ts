import { openDatabase, type Database } from '@boardwire/database';
import { createLogger } from '@boardwire/service-kit';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { testAdminPassword, type TestSite } from '../../support/test-site.ts';
import type { ConsoleBrowser } from './console-browser.ts';

export const siteIdOf = (letter: string) => `bs1${letter.repeat(52)}`;

/** What a site knows of another one, as it is stored: its states come and go too fast to be waited for. */
export interface StoredPeer {
  site: string;
  name: string;
  state: string;
  reason?: string;
  failedAttempts?: number;
  /** Seconds from now. */
  nextDial?: number;
}

/** The tables of a site's federation, for what a test can't bring about in reasonable time. */
export class FederationTables {
  private constructor(readonly database: Database) {}

  static async open({ infrastructure }: TestSite): Promise<FederationTables> {
    const { url } = infrastructure.postgres;
    const logger = createLogger({ service: 'test', level: 'silent' });
    return new FederationTables(await openDatabase({ url, schema: 'federation', migrations: [], logger }));
  }

  async addPeer({ site, name, state, reason, failedAttempts = 0, nextDial }: StoredPeer): Promise<void> {
    await this.database.query(
      `INSERT INTO peer (site, name, state, reason, failed_attempts, dial_at, contact_at)
       VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second', now() - interval '3 minutes')`,
      [site, name, state, reason ?? null, failedAttempts, nextDial ?? null],
    );
  }

  async grant(site: string, room: string, alias = '>'): Promise<void> {
    await this.database.query(
      `INSERT INTO peer_room (site, room, scopes, subjects) VALUES ($1, $2, '{read,write}', $3)`,
      [site, room, [alias]],
    );
  }

  /** A feed that has said two things at place 7. */
  async addFrozenFeed(site: string, room: string): Promise<void> {
    await this.database.query(
      `INSERT INTO feed (room, site, epoch, ordinal, n, hash, state, record, grown_at)
       VALUES ($1, $2, 'e1', 0, 1234, sha256('kept'), 'frozen', '{}', now() - interval '2 hours')`,
      [room, site],
    );
    await this.database.query(
      `INSERT INTO evidence (room, site, epoch, oseq, kept_header, kept_sigs, other_hash, other_header, other_sigs, carrier)
       VALUES ($1, $2, 'e1', 7, 'kept', '[]', sha256('other'), 'other', '[]', $2)`,
      [room, site],
    );
  }

  async peerState(site: string): Promise<{ state: string; reason: string | null }> {
    return (
      await this.database.query<{ state: string; reason: string | null }>(
        'SELECT state, reason FROM peer WHERE site = $1',
        [site],
      )
    )[0]!;
  }

  close(): Promise<void> {
    return this.database.close();
  }
}

/** An administrator at the screen “Federation”: what they do, and what they see. */
export class OperatorPerson {
  private constructor(readonly page: Page) {}

  static async enter(
    browser: ConsoleBrowser,
    { path = '/federation', ...options }: BrowserContextOptions & { path?: string } = {},
  ): Promise<OperatorPerson> {
    const page = await browser.open(path, options);
    await page.getByRole('tab', { name: 'Sign in' }).click();
    await page.getByLabel('Name').fill('admin');
    await page.getByRole('textbox', { name: 'Password' }).fill(testAdminPassword);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor({ state: 'attached' });
    return new OperatorPerson(page);
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** The card of another site. */
  peer(name: string): Locator {
    return this.page
      .getByRole('list', { name: 'Other sites' })
      .getByRole('listitem')
      .filter({ has: this.page.getByRole('heading', { name, exact: true }) });
  }

  room(alias: string): Locator {
    return this.page.getByRole('article', { name: alias, exact: true });
  }

  /** Of a room's feed: its cells from left to right. */
  async feed(alias: string, of: string): Promise<string[]> {
    const row = this.page
      .getByRole('table', { name: `Feeds of ${alias}` })
      .getByRole('row')
      .filter({ hasText: of });
    return row.locator('th, td').allInnerTexts();
  }

  /** Opens the question of a decision. */
  async decide(name: string, decision: string): Promise<void> {
    await this.button(`Decide about ${name}`).click();
    await this.page.getByRole('menuitem', { name: decision, exact: true }).click();
    await this.dialog.waitFor();
  }

  /** What has the focus, by its accessible words. */
  focused(): Promise<string> {
    return this.page.evaluate(() => {
      const element = document.activeElement as HTMLElement | null;
      return element?.getAttribute('aria-label') ?? element?.textContent ?? '';
    });
  }

  overflow(): Promise<number> {
    return this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }
}
