import { open, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';

const everyMs = 500;
const bytesPerTurnMax = 256 * 1024;
const linesPerTurnMax = 10;
const sameAgainAfterMs = 10_000;
const shownLevels = ['warn', 'error', 'fatal'];
/** While services start, they warn that the others don't answer yet; that is no news. */
const shownWhileStarting = ['error', 'fatal'];

/**
 * Shows warnings and errors of the services' logs on the terminal, in a reader's form. The logs have everything; the
 * terminal stays readable.
 */
export class LogEcho {
  private readonly positions = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<void> = Promise.resolve();
  private readonly toldAt = new Map<string, number>();
  private levels = shownWhileStarting;

  constructor(
    private readonly folder: string,
    private readonly print: (line: string) => void,
  ) {}

  /** Begins at the logs' present ends. Its timer also keeps the launcher alive: nothing else does. */
  async start(): Promise<void> {
    for (const path of await this.files()) this.positions.set(path, await sizeOf(path));
    this.timer = setInterval(() => {
      this.reading = this.reading.then(() => this.turn()).catch(() => undefined);
    }, everyMs);
  }

  /** The site runs: from now on warnings are shown too. */
  async siteIsReady(): Promise<void> {
    await this.turn().catch(() => undefined);
    this.levels = shownLevels;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.reading;
    await this.turn().catch(() => undefined);
  }

  private async turn(): Promise<void> {
    const lines: string[] = [];
    for (const path of await this.files()) lines.push(...(await this.newLines(path)));
    const news = lines.filter((line) => this.isNews(line));
    for (const line of news.slice(0, linesPerTurnMax)) this.print(line);
    if (news.length > linesPerTurnMax) this.print(`… and ${news.length - linesPerTurnMax} more in ${this.folder}`);
  }

  /** While something is gone, the same is logged again and again: told once in a while, whatever its numbers. */
  private isNews(line: string): boolean {
    const now = performance.now();
    for (const [told, at] of this.toldAt) if (now - at > sameAgainAfterMs) this.toldAt.delete(told);
    const words = line.replace(/\d+/g, '#');
    if (this.toldAt.has(words)) return false;
    this.toldAt.set(words, now);
    return true;
  }

  /** The servers' own logs are for when something is wrong with them. */
  private async files(): Promise<string[]> {
    const names = await readdir(this.folder).catch(() => []);
    return names
      .filter((name) => name.endsWith('.log') && name !== 'postgres.log' && name !== 'nats.log')
      .map((name) => join(this.folder, name));
  }

  private async newLines(path: string): Promise<string[]> {
    const from = this.positions.get(path) ?? 0;
    const size = await sizeOf(path);
    if (size <= from) return [];
    const text = await readRange(path, from, Math.min(size, from + bytesPerTurnMax));
    const end = text.lastIndexOf('\n') + 1;
    this.positions.set(path, from + Buffer.byteLength(text.slice(0, end)));
    return text
      .slice(0, end)
      .split('\n')
      .flatMap((line) => readable(line, this.levels, basename(path, '.log')) ?? []);
  }
}

/** One log line for a reader, or undefined when it is not worth one. What is no JSON is a crash's last words. */
export function readable(line: string, levels: readonly string[] = shownLevels, source = 'site'): string | undefined {
  if (line.trim() === '') return undefined;
  try {
    const {
      time,
      level,
      service,
      event,
      err,
      msg,
      correlation: _inTheLog,
      ...rest
    } = JSON.parse(line) as Record<string, unknown>;
    if (!levels.includes(String(level))) return undefined;
    const message = (err as { message?: string } | undefined)?.message;
    // A message often begins with what the line says already.
    const text = typeof msg === 'string' && message?.startsWith(msg) ? undefined : msg;
    const fields = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    const words = [String(time).slice(11, 19), level, service, event, text, message, ...fields.slice(0, 6)];
    return words.filter((word) => word !== undefined && word !== '').join(' ');
  } catch {
    return `${source}: ${line}`;
  }
}

async function sizeOf(path: string): Promise<number> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return 0;
  const { size } = await file.stat();
  await file.close();
  return size;
}

async function readRange(path: string, from: number, to: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(to - from);
    await file.read(buffer, 0, buffer.length, from);
    return buffer.toString('utf8');
  } finally {
    await file.close();
  }
}
