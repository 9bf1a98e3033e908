import { BoardwireError } from '@boardwire/client';
import { auditExportTrailerSchema } from '@boardwire/contracts';
import type { AuditApi } from './audit-api.ts';
import type { Filter, Order } from './explorer-address.ts';
import { hexOf } from './verify/bytes.ts';
import { canCheck } from './verify/log-watch.ts';
import { sha256 } from './verify/merkle.ts';

export type DownloadFormat = 'jsonl' | 'csv';

interface DownloadRequest {
  filter: Filter;
  order: Order;
  format: DownloadFormat;
}

/**
 * Fetches an export into a file, and says what came. It is fetched rather than linked to, since a link can't carry the
 * token, and an address that could would end up in logs.
 */
export async function download(
  api: AuditApi,
  { filter, order, format }: DownloadRequest,
  { signal, onBytes }: { signal: AbortSignal; onBytes: (bytes: number) => void },
): Promise<string> {
  const response = await api.export({ ...filter, format, order }, signal);
  const counted = response.body!.pipeThrough(countingBytes(onBytes));
  // Browsers keep large blobs on disk.
  const blob = await new Response(counted).blob();
  const found = format === 'jsonl' ? await entriesOfTrailer(blob) : undefined;
  const name = `audit-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.${format}`;
  save(blob, name);
  return found === undefined ? `Saved as ${name}` : `${found.toLocaleString()} entries saved as ${name}`;
}

const trailerBytesMax = 65_536;
/** WebCrypto hashes what is in memory; larger files are left to the command line tool. */
const checkedBytesMax = 64 * 1024 * 1024;

/** The last line says how much there is, and hashes all before it: a file that was cut or changed is not handed on. */
async function entriesOfTrailer(blob: Blob): Promise<number> {
  const end = (await blob.slice(-trailerBytesMax).text()).trimEnd();
  const line = end.slice(end.lastIndexOf('\n') + 1);
  const bodyBytes = blob.size - new TextEncoder().encode(line).length - 1;
  const { entries, sha256: wanted } = trailerOf(line);
  if (bodyBytes <= checkedBytesMax && canCheck()) {
    const hash = await sha256(new Uint8Array(await blob.slice(0, bodyBytes).arrayBuffer()));
    if (hexOf(hash) !== wanted) throw new BoardwireError('bad_answer', { detail: 'the file was changed on its way' });
  }
  return entries;
}

function trailerOf(line: string) {
  try {
    return auditExportTrailerSchema.parse(JSON.parse(line)).trailer;
  } catch (cause) {
    throw new BoardwireError('bad_answer', { detail: 'the file was cut', cause });
  }
}

function countingBytes(onBytes: (bytes: number) => void): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.length;
      onBytes(bytes);
      controller.enqueue(chunk);
    },
  });
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The click only begins the download; a minute is plenty for it to have taken hold of the blob.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
