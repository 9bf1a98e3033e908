import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, rename, rm, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The pinned official release: its sums are those the project's own container images check against. */
const release = {
  version: '2.11.17',
  sha256: {
    'linux-amd64': 'ad608dd0ea8bbfa58c40e3b8f58ed67478eec26166ec49c502db8d17589b51b5',
    'linux-arm64': 'd21df24f262f34f8bf6d1f0bca557c08429e433fd9f60f6983105539ae517feb',
  } as Readonly<Record<string, string>>,
};

const answerTimeoutMs = 5_000;
const transferTimeoutMs = 120_000;
const archiveBytesMax = 64 * 1024 * 1024;

/**
 * Downloads the pinned release into `cache`, checks its sum before anything is unpacked, and returns the program's
 * path. Rejects with a reason fit for a list: no pinned sum for this platform, no network, wrong sum.
 */
export async function downloadNatsRelease(cache: string, fetchBytes = download): Promise<string> {
  const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const expected = release.sha256[platform];
  if (expected === undefined) throw new Error(`no pinned checksum for ${platform}`);
  const stem = `nats-server-v${release.version}-${platform}`;
  const address = `https://github.com/nats-io/nats-server/releases/download/v${release.version}/${stem}.tar.gz`;
  const archive = await fetchBytes(address);
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== expected) throw new Error(`${address} has the checksum ${actual}, expected ${expected}: not used`);
  return unpack(archive, cache, stem);
}

async function unpack(archive: Uint8Array, cache: string, stem: string): Promise<string> {
  await mkdir(cache, { recursive: true });
  const scratch = await mkdtemp(join(cache, 'unpack-'));
  try {
    await writeFile(join(scratch, 'archive.tar.gz'), archive);
    await run('tar', ['-xzf', 'archive.tar.gz', `${stem}/nats-server`], { cwd: scratch });
    await chmod(join(scratch, stem, 'nats-server'), 0o755);
    const folder = join(cache, `nats-server-${release.version}`);
    await rm(folder, { recursive: true, force: true });
    await rename(join(scratch, stem), folder);
    return join(folder, 'nats-server');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function download(address: string): Promise<Uint8Array> {
  const abort = new AbortController();
  // A machine without a network must not wait long; one with a slow network may.
  let timer = setTimeout(() => abort.abort(new Error(`no answer within ${answerTimeoutMs / 1000} s`)), answerTimeoutMs);
  try {
    const response = await fetch(address, { signal: abort.signal });
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(new Error('the transfer took too long')), transferTimeoutMs);
    const parts: Uint8Array[] = [];
    let total = 0;
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      total += part.byteLength;
      if (total > archiveBytesMax) throw new Error('the archive is larger than expected');
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (error) {
    const cause = (error as { cause?: Error }).cause;
    throw new Error(`${new URL(address).host}: ${cause?.message ?? (error as Error).message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
