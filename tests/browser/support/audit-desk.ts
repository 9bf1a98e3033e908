import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditHealth, Decision } from '@boardwire/contracts';
import { ServiceTokens } from '@boardwire/service-kit';
import { eventually } from '@boardwire/test-kit';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { call } from '../../support/person.ts';
import type { TestSite } from '../../support/test-site.ts';
import type { ConsoleBrowser } from './console-browser.ts';

const password = 'reads everything, changes nothing';

export type ReportedDecision = Partial<Decision> & { action: string };

/** A site with something to audit: who may read it, and a program that reports decisions. */
export class AuditDesk {
  readonly #site: TestSite;
  readonly #browser: ConsoleBrowser;
  #reported = 0;

  constructor(site: TestSite, browser: ConsoleBrowser) {
    this.#site = site;
    this.#browser = browser;
  }

  async createAuditor(name: string): Promise<void> {
    const { token } = await this.#site.admin();
    const json = { name, password, roles: ['auditor'] };
    const answer = await call(`${this.#site.url}/v1/auth/accounts`, { token, json });
    if (answer.status >= 300) throw new Error(`no account for ${name}: ${answer.text}`);
  }

  /** An auditor at a browser of their own, on a screen of the console. */
  async enter(name: string, path = '/audit', options: BrowserContextOptions = {}): Promise<AuditorPerson> {
    const page = await this.#browser.open(path, options);
    await page.getByRole('tab', { name: 'Sign in' }).click();
    await page.getByLabel('Name').fill(name);
    await page.getByRole('textbox', { name: 'Password' }).fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor({ state: 'attached' });
    return new AuditorPerson(page);
  }

  /** Hands decisions in as the applets' service does, and waits until they are in a signed tree. */
  async report(decisions: readonly ReportedDecision[], { skip = 0 } = {}): Promise<void> {
    this.#reported += skip;
    const before = await this.health();
    const body = {
      service: 'applets/desk',
      decisions: decisions.map((decision) => ({
        number: (this.#reported += 1),
        outcome: 'done',
        actor: 'desk',
        at: new Date().toISOString(),
        ...decision,
      })),
    };
    const secret = await readFile(join(this.#site.infrastructure.folder, 'site', 'secrets', 'internal-secret'), 'utf8');
    const token = await new ServiceTokens('applets', secret.trim()).issue('audit');
    const url = `${this.#site.internalUrl('audit')}/internal/v1/decisions`;
    const answer = await call(url, { token, json: body });
    if (answer.status !== 200) throw new Error(`decisions were refused: ${answer.text}`);
    await this.signed(before.size + decisions.length);
  }

  async health(): Promise<AuditHealth> {
    const { token } = await this.#site.admin();
    return (await call<AuditHealth>(`${this.#site.url}/v1/audit/health`, { token })).body;
  }

  /** The root that the site has signed for this size, in hexadecimal. */
  async rootAt(size: number): Promise<string> {
    const { token } = await this.#site.admin();
    const { text } = await call(`${this.#site.url}/v1/audit/checkpoint?size=${size}`, { token });
    return Buffer.from(text.split('\n')[2]!, 'base64').toString('hex');
  }

  /** Waits until a checkpoint covers this many entries. */
  async signed(size: number): Promise<void> {
    await eventually(
      async () => {
        const { checkpoint } = await this.health();
        if ((checkpoint?.size ?? 0) < size) throw new Error(`${checkpoint?.size} entries are signed, not ${size}`);
      },
      { timeoutMs: 15_000 },
    );
  }
}

/** Someone in the audit explorer: what they do, and what they see. */
export class AuditorPerson {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  get rows(): Locator {
    return this.page.getByRole('grid', { name: 'Entries' }).locator('[data-seq]');
  }

  /** Seqs on the screen, from top to bottom. */
  async seqs(): Promise<number[]> {
    return await this.rows.evaluateAll((rows) => rows.map((row) => Number((row as HTMLElement).dataset['seq'])));
  }

  /** Waits for this many rows. Returns their seqs, of that same moment: a list that is read anew stands empty between. */
  async seesRows(count: number): Promise<number[]> {
    return await eventually(async () => {
      const seqs = await this.seqs();
      if (seqs.length !== count) throw new Error(`${seqs.length} rows, not ${count}`);
      return seqs;
    });
  }

  get drawer(): Locator {
    return this.page.getByRole('complementary', { name: /^Entry / });
  }

  get state(): Locator {
    return this.page.getByRole('region', { name: 'State of the log' });
  }

  facet(facet: string, value: string): Locator {
    const named = new RegExp(`^${value.replaceAll('.', '\\.')} ?[0-9,]+$`);
    return this.page.getByRole('region', { name: facet, exact: true }).getByRole('button', { name: named });
  }

  query(): URLSearchParams {
    return new URL(this.page.url()).searchParams;
  }

  /** What has the focus, by its accessible words or its seq. */
  focused(): Promise<string> {
    return this.page.evaluate(() => {
      const element = document.activeElement as HTMLElement | null;
      return element?.dataset['seq'] ?? element?.getAttribute('aria-label') ?? element?.textContent ?? '';
    });
  }
}
