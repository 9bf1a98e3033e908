import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stopOrphan } from '@boardwire/embedded';
import type { HostedService } from './hosted-service.ts';

/** What `npm run status`, a second start and tests read about a running site. */
export interface SiteRecord {
  pid: number;
  mode: 'one-process' | 'processes';
  startedAt: string;
  publicUrl: string;
  /** `publicUrl`: gateways only. */
  services: { name: string; kind: string; internalUrl: string; publicUrl?: string; pid: number | undefined }[];
}

/** Keeps `site.json` in the data folder true while the site runs. */
export class SiteState {
  private services: HostedService[] = [];
  private readonly startedAt = new Date().toISOString();
  private writing: Promise<void> = Promise.resolve();
  private isRemoved = false;

  constructor(
    private readonly dataDir: string,
    private readonly facts: Pick<SiteRecord, 'mode' | 'publicUrl'>,
  ) {}

  follow(services: HostedService[]): void {
    this.services = services;
  }

  /** One write after the other, each whole: a reader never sees half a file. */
  write(): Promise<void> {
    this.writing = this.writing.then(() => this.writeNow()).catch(() => undefined);
    return this.writing;
  }

  async remove(): Promise<void> {
    this.isRemoved = true;
    await this.writing;
    await rm(stateFile(this.dataDir), { force: true });
  }

  private async writeNow(): Promise<void> {
    if (this.isRemoved) return;
    const record: SiteRecord = {
      pid: process.pid,
      startedAt: this.startedAt,
      ...this.facts,
      services: this.services.map(({ name, kind, internalUrl, publicUrl, pid }) => ({
        name,
        kind,
        internalUrl,
        ...(publicUrl ? { publicUrl } : {}),
        pid,
      })),
    };
    const path = stateFile(this.dataDir);
    await writeFile(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`);
    await rename(`${path}.new`, path);
  }
}

/** The record of the site that runs, or ran last, in this data folder. */
export async function readSiteRecord(dataDir: string): Promise<SiteRecord | undefined> {
  try {
    return JSON.parse(await readFile(stateFile(dataDir), 'utf8')) as SiteRecord;
  } catch {
    return undefined;
  }
}

/** On the command line of every service process of this site, and of no other. */
export function siteMark(dataDir: string): string {
  return `--site=${dataDir}`;
}

/** A launcher that was killed may leave service processes: they would keep the ports and write to the log. */
export async function stopOrphanServices(dataDir: string): Promise<void> {
  const record = await readSiteRecord(dataDir);
  if (!record || record.mode !== 'processes') return;
  const pids = record.services.map(({ pid }) => pid ?? 0).filter((pid) => pid !== process.pid);
  await Promise.all(pids.map((pid) => stopOrphan(pid, siteMark(dataDir), 'SIGTERM', 2_500)));
}

function stateFile(dataDir: string): string {
  return join(dataDir, 'site.json');
}
