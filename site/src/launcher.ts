import { access, constants, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment, Step } from '@boardwire/embedded';
import { ConfigError } from '@boardwire/service-kit';
import { dataFolder } from './data-folder.ts';
import { emptySite } from './fresh-start.ts';
import { help, parseLauncherArguments, settingsOf, type LauncherArguments } from './launcher-arguments.ts';
import { LogEcho } from './log-echo.ts';
import { watchParent } from './parent-watch.ts';
import { lockSite, type SiteLock } from './site-lock.ts';
import { startSite, type Site } from './start-site.ts';
import { keepServersRunning } from './keep-servers-running.ts';
import { UserError } from './user-error.ts';
import { welcome } from './welcome.ts';

/** A stop that takes longer than this is ended by force; the guards beside the servers do the rest. */
const stopMaxMs = 4_800;
const startGraceMs = 1_500;

/** The command line of a site: starts it, tells each step, and stops it in order on Ctrl-C, SIGTERM and npm's end. */
export async function runLauncher(args: readonly string[], env: Environment): Promise<void> {
  // A closed terminal must not take the site down in disorder.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  try {
    const options = parseLauncherArguments(args, env);
    if (options.isHelp) return void process.stdout.write(help);
    const dataDir = dataFolder(env, options.name);
    await openDataFolder(dataDir);
    await new Launcher(dataDir, options, settingsOf(options, env)).run();
  } catch (error) {
    process.stderr.write(`\n${explain(error)}\n`);
    process.exit(1);
  }
}

/** Made when it is missing; what can't be written is told before anything starts. */
async function openDataFolder(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
    await access(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    throw new UserError(
      `The data folder ${dataDir} can't be used (${reason}). Choose another one: BOARDWIRE_DATA=<a folder of yours> npm start`,
    );
  }
}

class Launcher {
  private readonly startedAt = performance.now();
  private lock: SiteLock | undefined;
  private site: Promise<Site> | undefined;
  private echo: LogEcho | undefined;
  private servers: { stop(): void } | undefined;
  private isStopping = false;

  constructor(
    private readonly dataDir: string,
    private readonly options: LauncherArguments,
    private readonly env: Environment,
  ) {}

  async run(): Promise<void> {
    this.lock = await lockSite(this.dataDir);
    await this.listenForTheEnd();
    try {
      if (this.options.isFresh) await emptySite(this.dataDir, this.env);
      const site = await this.start();
      if (this.isStopping) return;
      this.servers = keepServersRunning([site.postgres, site.nats], (text) => this.tell(text));
      await this.echo?.siteIsReady();
      process.stdout.write(welcome(site, { tookMs: performance.now() - this.startedAt, name: this.options.name }));
    } catch (error) {
      // Stopped while starting: that is no failure to tell.
      if (this.isStopping) return;
      await this.lock.release();
      throw error;
    }
  }

  private async start(): Promise<Site> {
    const logs = join(this.dataDir, 'logs');
    await mkdir(logs, { recursive: true });
    this.echo = new LogEcho(logs, (line) => process.stderr.write(`  ! ${line}\n`));
    await this.echo.start();
    this.site = startSite({
      dataDir: this.dataDir,
      env: this.env,
      mode: this.options.mode,
      gateways: this.options.gateways,
      hasProxy: this.options.gateways > 1,
      onStep: (step) => this.isStopping || printStep(step),
      onEvent: (text) => this.tell(text),
    });
    return this.site;
  }

  private tell(text: string): void {
    if (!this.isStopping) process.stdout.write(`  … ${text}\n`);
  }

  private async listenForTheEnd(): Promise<void> {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.end(0));
    process.on('uncaughtException', (error) => this.crash(error));
    process.on('unhandledRejection', (error) => this.crash(error));
    await watchParent(() => this.end(0));
  }

  private crash(error: unknown): void {
    process.stderr.write(`\n${error instanceof Error ? error.stack : String(error)}\n`);
    this.end(1);
  }

  /** A second Ctrl-C changes nothing: the stop is bounded, and cutting it short could leave something behind. */
  private end(code: number): void {
    if (this.isStopping) return;
    this.isStopping = true;
    this.servers?.stop();
    process.stdout.write('\nStopping…\n');
    setTimeout(() => process.exit(1), stopMaxMs).unref();
    void this.stop().then(
      () => process.exit(code),
      () => process.exit(1),
    );
  }

  private async stop(): Promise<void> {
    const from = performance.now();
    // Stopped while it starts: what is half up is not waited for long, the guards end it when we are gone.
    const site = await Promise.race([this.site?.catch(() => undefined), sleep(startGraceMs, undefined)]);
    await site?.stop();
    await this.echo?.stop();
    await this.lock?.release();
    process.stdout.write(`Stopped in ${((performance.now() - from) / 1000).toFixed(1)} s\n`);
  }
}

function printStep({ text, ms, warning }: Step): void {
  if (warning !== undefined) process.stdout.write(`  ! ${warning}\n`);
  else process.stdout.write(`  ✔ ${text} (${(ms / 1000).toFixed(1)} s)\n`);
}

function explain(error: unknown): string {
  if (error instanceof UserError) return error.message;
  if (error instanceof ConfigError) {
    return ['The settings are not usable:', ...error.badKeys.map(({ key, message }) => `  ${key}: ${message}`)].join(
      '\n',
    );
  }
  return error instanceof Error ? `The site could not start: ${error.message}` : String(error);
}
