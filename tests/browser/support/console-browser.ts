import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { ConsolePerson } from './console-person.ts';

const checkout = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const screens = join(checkout, 'artifacts', 'screens');
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const launchFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Pages in the background must go on as those in front do: two people share this browser.
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
];

export interface ScreenViolation {
  rule: string;
  impact: string;
  targets: string[];
}

/** A Chromium that looks at the console; every person in it has a context, and so a session, of their own. */
export class ConsoleBrowser {
  /** What pages complained about, security policy violations among it. */
  readonly complaints: string[] = [];
  readonly #browser: Browser;
  readonly #siteUrl: string;

  private constructor(browser: Browser, siteUrl: string) {
    this.#browser = browser;
    this.#siteUrl = siteUrl;
  }

  static async launch(executablePath: string, siteUrl: string): Promise<ConsoleBrowser> {
    if (!existsSync(join(checkout, 'console', 'dist', 'index.html'))) {
      throw new Error('The console is not built: npm run build --workspace console');
    }
    mkdirSync(screens, { recursive: true });
    return new ConsoleBrowser(await chromium.launch({ executablePath, args: launchFlags }), siteUrl);
  }

  async open(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width: 1200, height: 760 },
      locale: 'en-GB',
      ...options,
    });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    page.on('pageerror', (error) => this.complaints.push(`uncaught: ${error.message}`));
    page.on('console', (message) => {
      if (/content security policy|react/i.test(message.text())) this.complaints.push(message.text());
    });
    await page.goto(this.#siteUrl + path);
    return page;
  }

  /** A new person at a browser of their own, signed in as guest, in the lobby, live. */
  async enter(nickname: string, options: BrowserContextOptions = {}): Promise<ConsolePerson> {
    const person = new ConsolePerson(await this.open('/', options), nickname);
    await person.enterAsGuest();
    return person;
  }

  /** For people to look at; in `artifacts/screens`. */
  async keepScreen(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: join(screens, `${name}.png`) });
  }

  /** Violations that keep people out (impact serious or critical), by axe. */
  async seriousViolations(page: Page): Promise<ScreenViolation[]> {
    await page.evaluate(axeSource);
    const { violations, passes } = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: { run(): Promise<AxeResults> } };
      const results = await axe.run();
      return {
        passes: results.passes.length,
        violations: results.violations.map(({ id, impact, nodes }) => ({
          rule: id,
          impact: impact ?? 'unknown',
          targets: nodes.map(({ target }) => target.join(' ')),
        })),
      };
    });
    if (passes === 0) throw new Error('axe looked at nothing');
    return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

interface AxeResults {
  passes: unknown[];
  violations: { id: string; impact?: string | null; nodes: { target: string[] }[] }[];
}
