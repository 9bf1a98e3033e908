import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const everyMs = 500;
const bytesPerTurnMax = 256 * 1024;
const linesPerTurnMax = 10;
const warn = ['warn', 'error', 'fatal'];

/**
 * Shows warnings and errors of the services' logs on the terminal, in a reader's form. The logs have everything; the
 * terminal stays readable.
 */
export class LogEcho {
  private readonly positions = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<void> = Promise.resolve();

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

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.reading;
    await this.turn().catch(() => undefined);
  }

  private async turn(): Promise<void> {
    const lines: string[] = [];
    for (const path of await this.files()) lines.push(...(await this.newLines(path)));
    for (const line of lines.slice(0, linesPerTurnMax)) this.print(line);
    if (lines.length > linesPerTurnMax) this.print(`… and ${lines.length - linesPerTurnMax} more in ${this.folder}`);
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
      .flatMap((line) => readable(line) ?? []);
  }
}

/** One log line for a reader, or undefined when it is not worth one. What is no JSON is a crash's last words. */
export function readable(line: string): string | undefined {
  if (line.trim() === '') return undefined;
  try {
    const { time, level, service, event, err, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
    if (!warn.includes(String(level))) return undefined;
    const error = (err as { message?: string } | undefined)?.message;
    const fields = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    const words = [String(time).slice(11, 19), level, service, event, msg, error, ...fields.slice(0, 6)];
    return words.filter((word) => word !== undefined && word !== '').join(' ');
  } catch {
    return line;
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
